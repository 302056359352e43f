// Signing in and out, and the credits in the header.

import { balance, Failure, whoAmI } from "./api.js";
import { part } from "./elements.js";
import { forget, isDemo, remember, visitor } from "./visitor.js";
import { creditUnit } from "./words.js";

/** Shows who is here, or asks. */
export async function enter() {
  const who = await visitor();
  if (!who && isDemo) throw new Failure("demo_closed");
  part("signing").hidden = isDemo || who !== null;
  part("signed-in").hidden = isDemo || who === null;
  part("user").textContent = who?.id ?? "";
  part("credits").hidden = who === null;
  if (who) await showCredits();
}

export async function signIn() {
  const token = part("token").value.trim();
  if (!token) return part("token").focus();
  const { user_id: id } = await whoAmI(token);
  remember(id, token);
  part("token").value = "";
  return enter();
}

/** In a demo this makes the next visitor, with an allowance of their own. */
export function leave() {
  forget();
  return enter();
}

export async function showCredits() {
  const { balance: available, held } = await balance();
  part("available").textContent = available;
  part("available-unit").textContent = creditUnit(available);
  part("held").textContent = `${held} in progress`;
  part("held").hidden = held === 0;
}
