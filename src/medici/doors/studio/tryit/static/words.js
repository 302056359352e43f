// What the page says: states of a render, and for every failure its cause and the next step.

export function stateWords(status) {
  switch (status.status) {
    case "queued":
      if (status.queue_position > 0) return `Waiting, ${status.queue_position} ahead of you`;
      return "Waiting its turn";
    case "in_progress":
      return "Restyling your room";
    case "completed":
      return "Fetching the picture";
    case "reconnecting":
      return "Connection lost, trying again";
    default:
      return "Getting ready";
  }
}

export const creditUnit = (credits) => (credits === 1 ? "credit" : "credits");
export const creditWords = (credits) => `${credits} ${creditUnit(credits)}`;

const NOT_CHARGED = "Nothing was charged.";
const BUSY = {
  title: "It is busy right now.",
  text: `The server has more to do than it can take. ${NOT_CHARGED} Try again in a moment.`,
  step: "retry",
};
const SIGNED_OUT = {
  title: "You are signed out.",
  text: "Your token is missing, wrong or has expired. Sign in again.",
  step: "sign-in",
};
const UNREADABLE = {
  title: "This photo cannot be read.",
  text: "The file is damaged or cut short. Save or export it again, or choose another one.",
  step: "choose",
};
const NO_ENGINE = {
  title: "No engine takes this order.",
  text: `No image provider is available for it at the moment. ${NOT_CHARGED} Try again later.`,
  step: "retry",
};

const FAILURES = {
  insufficient_credits: {
    title: "Not enough credits.",
    text: "This picture costs more than you have left. The allowance is renewed every day.",
    step: "restart",
  },
  budget_exhausted: {
    title: "The budget is used up.",
    text: `The operator's budget for renders is spent. ${NOT_CHARGED} Ask the operator to raise it.`,
  },
  preview_required_before_final: {
    title: "A preview comes first.",
    text: "A final picture needs a finished preview of the same photo and style.",
    step: "preview",
  },
  wallet_parked: {
    title: "Your credits are on hold.",
    text: "They are being checked, and nothing can be spent meanwhile. Tell the operator the id below.",
  },
  idempotency_key_in_progress: {
    title: "This order is already on its way.",
    text: "The same order is being taken at this moment. Try again in a few seconds.",
    step: "retry",
  },
  too_many_jobs_in_flight: {
    title: "Too many pictures at once.",
    text: "Wait until one of your pictures is finished, or cancel one, then try again.",
    step: "retry",
  },
  file_too_large: {
    title: "This file is too large.",
    text: "Photos may have up to 15 MB. Choose a smaller one, or export it with less quality.",
    step: "choose",
  },
  image_too_large: {
    title: "This photo has too many pixels.",
    text: "Up to 50 megapixels are taken. Make it smaller, or choose another one.",
    step: "choose",
  },
  unsupported_image: {
    title: "This kind of file is not taken.",
    text: "Use a JPEG, PNG or WEBP photo.",
    step: "choose",
  },
  undecodable_image: UNREADABLE,
  picture_refused: UNREADABLE,
  image_too_heavy: {
    title: "This photo is too much work.",
    text: "Reading it takes more memory than is allowed. Choose a smaller one.",
    step: "choose",
  },
  too_many_frames: {
    title: "This animation is too long.",
    text: "Choose a still photo.",
    step: "choose",
  },
  image_not_found: {
    title: "The upload has expired.",
    text: "Uploads are kept for a day. Try again, and the photo is sent anew.",
    step: "retry",
  },
  job_not_found: {
    title: "This picture cannot be found.",
    text: "It belongs to another visitor, perhaps to you before you signed in anew.",
  },
  no_provider_available: NO_ENGINE,
  provider_settings_missing: NO_ENGINE,
  provider_dispatch_failed: {
    title: "No engine could make this picture.",
    text: "Every provider that was asked failed. Your credits are back. Try again.",
    step: "retry",
  },
  provider_outcome_uncertain: {
    title: "The engine never answered.",
    text: "Nobody knows whether the picture was made, so you were not charged. Try again.",
    step: "retry",
  },
  moderated: {
    title: "The engine turned this photo or wish down.",
    text: "Its filter said no. Your credits are back. Change the wishes or choose another photo.",
    step: "choose",
  },
  expired: {
    title: "It took too long.",
    text: "The engine did not finish in time. Your credits are back. Try again.",
    step: "retry",
  },
  invalid_input: {
    title: "The engine cannot work with this photo.",
    text: "Your credits are back. Choose another photo.",
    step: "choose",
  },
  user_disabled: {
    title: "This account is disabled.",
    text: "It cannot order pictures. Tell the operator the id below.",
  },
  missing_or_invalid_token: SIGNED_OUT,
  invalid_or_expired_token: SIGNED_OUT,
  invalid_request: {
    title: "The order was not understood.",
    text: "Something in it is outside what the API takes. Change the wishes and try again.",
    step: "retry",
  },
  unreadable_text: {
    title: "The wishes cannot be read.",
    text: "They hold characters that cannot be stored. Type them anew.",
  },
  sample_missing: {
    title: "The sample room is not there.",
    text: "The server could not send it. Choose a photo of your own.",
    step: "choose",
  },
  picture_missing: {
    title: "The picture did not load.",
    text: "It was made, but could not be fetched. Choose it again among the pictures of this visit.",
  },
  demo_closed: {
    title: "The demo sign-in is closed.",
    text: "The server did not let a demo visitor in. Reload the page, or look into the server's log.",
  },
  page_fault: {
    title: "This page made a mistake.",
    text: "Reload it. The browser's console says more.",
  },
  offline: {
    title: "You are offline.",
    text: "Connect to the network, then try again. The same order is never charged twice.",
    step: "retry",
  },
  unreachable: {
    title: "The server does not answer.",
    text: "It may be restarting. Try again in a moment. The same order is never charged twice.",
    step: "retry",
  },
};

const BY_STATUS = {
  401: SIGNED_OUT,
  403: {
    title: "This is not allowed.",
    text: "Your token may not do this. Sign in as somebody else.",
    step: "sign-in",
  },
  413: FAILURES.file_too_large,
  415: FAILURES.unsupported_image,
  429: { title: "Too many requests.", text: "Slow down a little, then try again.", step: "retry" },
  503: BUSY,
};

const UNKNOWN = {
  title: "Something went wrong on our side.",
  text: "Try again. If it stays, tell the operator the id below.",
  step: "retry",
};

export const STEPS = {
  retry: "Try again",
  preview: "Render the preview first",
  choose: "Choose another photo",
  restart: "Go on as a new visitor",
  "sign-in": "Sign in",
};

/** Returns {title, text, step} for a failure; the wait that the server asks for is named. */
export function failureWords({ code, status, retryAfter }) {
  // What the door says of an upload, the worker says of its input, with a prefix.
  const known = FAILURES[code] ?? FAILURES[code.replace(/^input_/, "")] ?? BY_STATUS[status] ?? UNKNOWN;
  if (!retryAfter || retryAfter < 2) return known;
  return { ...known, text: `${known.text} The server asks for ${retryAfter} seconds.` };
}
