"""Tells the customer, in sentences, what was done and what was not."""

from medici.adapters.providers.local.restyle.lexicon import Look
from medici.adapters.providers.local.restyle.rendering import Made, Parts
from medici.adapters.providers.local.restyle.surfaces import Room


def account(look: Look, room: Room, parts: Parts, made: Made, *, masked: bool) -> tuple[str, ...]:
    """Return the notes to one picture; nothing is left out silently."""
    notes = [*look.notes]
    if "wall" in made.painted:
        notes.append("The walls were repainted; light and shadow on them are those of the photo.")
    elif parts.walls and look.wall:
        notes.append(_no_wall(room, masked=masked))
    if "floor" in made.painted:
        notes.append("The floor took a new tone; its grain is that of the photo.")
    elif parts.floor and look.floor:
        notes.append("No floor was recognised with enough certainty, so it was not recoloured.")
    if made.dyed:
        notes.append("Coloured fabrics took the accent colour of the style.")
    if not made.painted and not made.dyed:
        notes.append("Only light, contrast and colour mood were changed.")
    if look.unknown:
        notes.append(f"Not understood, and left out: {', '.join(look.unknown)}.")
    notes.append("This engine changes paint and mood; it moves no furniture and invents nothing.")
    return tuple(notes)


def _no_wall(room: Room, *, masked: bool) -> str:
    if masked:
        return "No even wall was found inside the mask, so nothing was painted."
    if room.walls:
        return "It is not certain that paint would look right on these walls; a mask helps."
    return "No wall was recognised in this picture."
