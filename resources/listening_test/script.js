// The screens of a listening test, from consent to the last sound. What participants do is kept on their device after
// every step, so a reload loses nothing. All words come from the texts of the test and are written as text, never as
// markup. The page holds all scripts of this folder in one: session, player, headphones, delivery, and this.

const element = (id) => document.getElementById(id);
const text = (name, values = {}) =>
  String(test.texts[name] ?? "").replace(/\{(\w+)\}/g, (whole, key) => (key in values ? values[key] : whole));

let screen = null; // the name of the section on show
let trial = null; // what happens with the current sound; see showTrial
let heardVolume = false;

// ---------------------------------------------------------------- screens

function show(name) {
  screen = name;
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== name;
  element("title").hidden = name === "welcome"; // it is the heading there
  element(name).querySelector("h1").focus();
  scrollTo(0, 0);
  showProgress();
}

function showProgress() {
  const done = state.ratings.length;
  const total = stimuli().length;
  element("progress").hidden = screen !== "trial";
  element("progress").querySelector("progress").value = done / total;
  element("progress-text").textContent = `${done} / ${total}`;
}

function notify(name, values) {
  element("notice").textContent = text(name, values);
  element("notice").hidden = false;
}

function hideNotice() {
  if (isForgetful) return notify("not_kept");
  element("notice").hidden = true;
}

const paragraphOf = (words) => Object.assign(document.createElement("p"), { textContent: words });

function fillTexts() {
  for (const target of document.querySelectorAll("[data-text]")) target.textContent = text(target.dataset.text);
  for (const target of document.querySelectorAll("[data-paragraphs]")) {
    target.append(...test.texts[target.dataset.paragraphs].map(paragraphOf));
  }
  const names = test.ids.filter((name) => told(name));
  const last = element("consent").lastElementChild; // which says that nothing else is recorded
  if (names.length) last.before(paragraphOf(text("consent_ids", { names: names.join(", ") })));
  if (test.headphones) last.before(paragraphOf(text("consent_headphones")));
}

function showWelcome() {
  element("consent-form").reset();
  element("code").value = state.participant;
  element("consent-form").querySelector("button").disabled = true;
  element("device").value = state.listening_device;
  heardVolume = false;
  showEarlier();
  show("welcome");
}

// Sessions of others at this link, which can be gone back to.
function showEarlier() {
  element("earlier").hidden = earlier.length === 0;
  element("earlier-list").replaceChildren(
    ...earlier.map((other) => {
      const values = { code: other.participant, n: other.ratings.length };
      const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet" });
      button.textContent = text("go_back_to", values);
      button.addEventListener("click", () => goBackTo(other));
      return button;
    }),
  );
}

function showVolume() {
  show("volume");
  const mayGoOn = () => {
    heardVolume = true;
    allowTrials();
  };
  placePlayer(test.volume, { ended: mayGoOn, failed: mayGoOn });
}

function allowTrials() {
  document.querySelector("[data-action=trials]").disabled = !(heardVolume && state.listening_device);
}

function beginTrials() {
  state.screen = "trial";
  if (keep()) showTrial();
}

// Another tab has taken the session: here it stops, until it is taken back.
function giveWay() {
  stop();
  trial = null;
  hideNotice();
  show("elsewhere");
}

// ----------------------------------------------------------------- trials

function buildScale() {
  for (const { value, face, label } of test.scores) {
    const tile = document.createElement("label");
    tile.className = "score";
    const input = Object.assign(document.createElement("input"), { type: "radio", name: "score", value });
    if (label) input.setAttribute("aria-label", `${face}, ${label}`);
    const shown = document.createElement("span");
    shown.append(Object.assign(document.createElement("b"), { textContent: face }));
    if (labelsInside) shown.append(Object.assign(document.createElement("small"), { textContent: label }));
    tile.append(input, shown);
    element("scores").append(tile);
  }
  element("scores").classList.toggle("long", test.scores.length > 5);
  element("scores").style.setProperty("--count", test.scores.length);
  element("last-key").textContent = test.scores.length;
  const ends = element("ends").children;
  element("ends").hidden = labelsInside || !test.scores[0].label;
  ends[0].textContent = `${test.scores[0].face}: ${test.scores[0].label}`;
  ends[1].textContent = `${test.scores.at(-1).face}: ${test.scores.at(-1).label}`;
}

const labelsInside = test.scores.every(({ label }) => label);

function showTrial() {
  if (isComplete()) return showAnswers();
  hideNotice();
  show("trial");
  const index = state.ratings.length;
  const training = session().training.length;
  const practising = index < training;
  element("practice-badge").hidden = !practising;
  element("trial-number").textContent = practising
    ? text("trial_of", { n: index + 1, total: training })
    : text("trial_of", { n: index - training + 1, total: session().trials.length });
  element("rating-form").reset();
  element("scale").disabled = true;
  element("next").disabled = true;
  element("skip").hidden = true;
  trial = { stimulus: stimuli()[index], practising, plays: 0, ended: false, playableAt: null };
  const current = trial;
  const playable = () => (current.playableAt ??= performance.now());
  placePlayer(trial.stimulus, {
    playable,
    started: () => {
      playable();
      current.plays += 1;
    },
    ended: () => {
      current.ended = true;
      element("skip").hidden = true;
      element("scale").disabled = false;
      if (chosenScore()) scoreChosen();
      else element("status").textContent = text("choose_now");
    },
    failed: () => (element("skip").hidden = current.ended),
  });
  const justOver = index === training && training > 0;
  element("status").textContent = `${justOver ? `${text("practice_over")} ` : ""}${text("listen_first")}`;
  if (index + 1 < stimuli().length) ahead.src = addressOf(stimuli()[index + 1]);
  player.focus({ preventScroll: true });
}

// The score that is chosen, as test.scores has it; undefined where none is.
const chosenScore = () => {
  const value = new FormData(element("rating-form")).get("score");
  return test.scores.find((score) => String(score.value) === value);
};

function choose(place) {
  if (!trial?.ended) return;
  const input = element("scores").querySelectorAll("input")[place - 1];
  input.checked = true;
  if (document.activeElement?.name === "score") input.focus(); // the focus goes with the choice
  scoreChosen();
}

function scoreChosen() {
  element("next").disabled = false;
  element("status").textContent = text("chosen", { score: chosenScore().face });
}

function rate() {
  const score = chosenScore();
  if (!trial?.ended || !score) return;
  record({ rating: score.value, time_ms: Math.round(performance.now() - trial.playableAt), played_to_end: true });
}

// A sound that cannot be played costs its own score and no other.
function skip() {
  if (trial && !trial.ended) record({ rating: null, time_ms: null, played_to_end: false, skipped: "cannot_play" });
}

function record(given) {
  stop();
  const { stimulus, plays, practising } = trial;
  const trial_index = state.ratings.length;
  if (isElsewhere()) return giveWay();
  state.ratings.push({ stimulus, trial_index, ...given, n_plays: plays, is_training: practising });
  trial = null;
  write();
  showTrial();
}

// --------------------------------------------------------------- controls

function connect() {
  const onClick = (selector, action) => document.querySelector(selector).addEventListener("click", action);
  element("agreed").addEventListener("change", (event) => {
    element("consent-form").querySelector("button").disabled = !event.target.checked;
  });
  element("consent-form").addEventListener("submit", (event) => {
    event.preventDefault();
    state.participant = element("code").value.trim() || state.participant;
    if (keep()) show("instructions");
  });
  onClick("[data-action=volume]", showVolume);
  element("device").addEventListener("change", (event) => {
    state.listening_device = event.target.value;
    allowTrials();
  });
  onClick("[data-action=trials]", () => {
    hideNotice();
    if (test.headphones) startHeadphoneCheck();
    else beginTrials();
  });
  for (const button of document.querySelectorAll("[data-tone]")) {
    button.addEventListener("click", () => chooseTone(Number(button.dataset.tone)));
  }
  onClick("[data-action=resume]", showTrial);
  onClick("[data-action=take]", () => {
    take();
    write();
    showKept();
  });
  for (const button of document.querySelectorAll("[data-action=anew]")) button.addEventListener("click", startAnew);
  element("scores").addEventListener("change", scoreChosen);
  element("rating-form").addEventListener("submit", (event) => {
    event.preventDefault();
    rate();
  });
  onClick("#skip", skip);
  onClick("#pause", showAnswers);
  onClick("#go-on", showTrial);
  onClick("#download", download);
  onClick("#send", send);
  document.addEventListener("keydown", handleKey);
  addEventListener("storage", () => {
    if (isElsewhere() && screen !== "elsewhere") giveWay();
  });
}

// Keys act on the trial, unless the focused control has its own use for them.
function handleKey(event) {
  if (screen !== "trial" || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const onButton = event.target.tagName === "BUTTON";
  const onFreeScore = event.target.type === "radio" && !event.target.checked;
  if (event.key === " " && !onButton && !onFreeScore) {
    event.preventDefault();
    play();
  } else if (event.key === "Enter" && !["next", "skip", "pause"].includes(event.target.id)) {
    event.preventDefault();
    if (event.target === player && !trial?.ended) play();
    else rate();
  } else if (/^[1-9]$/.test(event.key) && Number(event.key) <= test.scores.length) {
    choose(Number(event.key));
  }
}

// ------------------------------------------------------------------ start

// Shows the session where it was left.
function showKept() {
  if (state.screen === "finish") return showAnswers();
  if (state.screen !== "trial") return showWelcome();
  element("resume-text").textContent = text("resume_text", { n: state.ratings.length, total: stimuli().length });
  show("resume");
}

function start() {
  fillTexts();
  buildScale();
  connect();
  const wanted = link.get("session");
  const known = test.sessions.find((candidate) => String(candidate.number) === wanted);
  if (wanted !== null && !known) return notify("no_session", { session: wanted });
  if (take()) state.reloads += 1;
  else state = newState(known ?? anySession());
  write();
  showKept();
}

start();
