"""The pages that a customer sees: one to pay at, one to look after subscriptions."""

from collections.abc import Iterable
from html import escape
from typing import Any

FRAME = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui; max-width: 26rem; margin: 10vh auto; padding: 0 1rem }}
button {{ font: inherit; padding: .6rem 1.2rem; border: 0; border-radius: .4rem; cursor: pointer }}
button.pay {{ background: #1a56db; color: #fff; width: 100% }}
li {{ display: flex; justify-content: space-between; gap: 1rem; align-items: center }}
ul {{ padding: 0 }} .note {{ color: #555 }}
</style>
<h1>{title}</h1>
{body}
<p class="note">This stands in for Stripe. No money moves.</p>
</html>"""


def pay_page(session: dict[str, Any]) -> str:
    """Show what a checkout sells, with a button to pay and a way back."""
    lines = "".join(
        f"<li><span>{escape(line['description'])} × {line['quantity']}</span></li>"
        for line in session["_line_items"]["data"]
    )
    trial = session["_trial_days"]
    due = f"{_amount(session)} after {trial} days" if trial else _amount(session)
    back = escape(session["cancel_url"] or "#", quote=True)
    body = (
        f"<ul>{lines}</ul><p>To pay: <strong>{due}</strong></p>"
        f'<form method="post"><button class="pay" name="pay" value="1">Pay</button></form>'
        f'<p><a href="{back}">Back without paying</a></p>'
    )
    return FRAME.format(title="Checkout", body=body)


def over_page(session: dict[str, Any]) -> str:
    return FRAME.format(title="Checkout", body=f"<p>This checkout is {session['status']}.</p>")


def portal_page(subscriptions: Iterable[dict[str, Any]], return_url: str) -> str:
    """List a customer's subscriptions, each with a button that ends it with its period."""
    rows = "".join(
        f"<li><span>{escape(each['id'])}: {escape(each['status'])}</span>"
        '<form method="post"><button name="cancel" value="'
        f'{escape(each["id"], quote=True)}">Cancel at period end</button></form></li>'
        for each in subscriptions
    )
    back = f'<p><a href="{escape(return_url, quote=True)}">Back</a></p>'
    return FRAME.format(title="Subscriptions", body=f"<ul>{rows or 'None.'}</ul>{back}")


def _amount(session: dict[str, Any]) -> str:
    total = sum(line["amount_total"] for line in session["_line_items"]["data"])
    return f"{total / 100:.2f} {session['currency'].upper()}"
