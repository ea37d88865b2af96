// What is kept of a session on the participant's device, and which of several tabs may go on with it.
//
// All of it stands below one name of the browser's storage: the tab that took it last, the session, and sessions of
// others who used the same link before. A tab that finds another one there gives way, so that no tab writes over what
// another has kept. (Web Locks would need HTTPS, which the servers of laboratories often lack.)

const test = JSON.parse(document.getElementById("test").textContent);
const link = new URLSearchParams(location.search);
const tab = randomName(8);
const longest = 200; // characters of what a link tells

const told = (name) => link.get(name)?.slice(0, longest) ?? "";
const whose = ["session", "participant", ...test.ids].map((name) => encodeURIComponent(told(name))).join("&");
const storageName = `listening-test:${test.test_id}:${whose}`;

let state = null; // the session; see newState
let earlier = []; // sessions of others at this link, as state
let isForgetful = false; // whether the browser keeps nothing

function randomName(bytes) {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function newState(session, isAnother = false) {
  const given = told("participant");
  return {
    submission_id: randomName(16),
    participant: given ? given + (isAnother ? `-${randomName(2)}` : "") : `anonymous-${randomName(4)}`,
    ids: Object.fromEntries(test.ids.map((name) => [name, told(name) || null])),
    session: session.number,
    list_id: session.list_id,
    listening_device: "",
    headphone_scores: [],
    started_at: new Date().toISOString(),
    finished_at: null,
    reloads: 0,
    screen: "welcome",
    delivered: -1, // how many scores were sent, or saved where nothing is sent; -1: none of both was done
    ratings: [],
  };
}

const session = () => test.sessions.find((candidate) => candidate.number === state.session);
const stimuli = () => [...session().training, ...session().trials];
const isComplete = () => state.ratings.length >= stimuli().length;
const isDelivered = () => state.delivered === state.ratings.length;

function kept() {
  try {
    return JSON.parse(localStorage.getItem(storageName));
  } catch {
    return null; // private windows may forbid storage
  }
}

const isElsewhere = () => (kept()?.tab ?? tab) !== tab;

// Takes what is kept over from other tabs, if anything is, and tells whether there was a session.
function take() {
  const found = kept();
  if (found?.session) [state, earlier] = [found.session, found.earlier];
  return Boolean(found?.session);
}

function write() {
  try {
    localStorage.setItem(storageName, JSON.stringify({ tab, session: state, earlier }));
  } catch {
    isForgetful = true;
    notify("not_kept");
  }
}

// Keeps the session, and tells whether it may go on here.
function keep() {
  if (isElsewhere()) {
    giveWay();
    return false;
  }
  write();
  return true;
}

// What has arrived is not kept any longer; whether a file was saved well, nobody knows.
function putAside() {
  const hasArrived = test.submit_url && isComplete() && isDelivered();
  if (state.ratings.length && !hasArrived) earlier.push(state);
}

function startAnew() {
  if (isElsewhere()) return giveWay();
  putAside();
  state = newState(link.has("session") ? session() : anySession(), true);
  write();
  showWelcome();
}

function goBackTo(other) {
  if (isElsewhere()) return giveWay();
  earlier = earlier.filter((each) => each !== other);
  putAside();
  state = other;
  write();
  showKept();
}

const anySession = () => test.sessions[Math.floor(Math.random() * test.sessions.length)];
