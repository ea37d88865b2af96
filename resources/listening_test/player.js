// One sound at a time: loads it, plays it, and says when it cannot be played or does not move.

const audio = new Audio();
audio.preload = "auto";
const ahead = new Audio(); // loads the next sound while this one is rated
ahead.preload = "auto";
let player = null; // the button on show
let heard = { playable() {}, started() {}, ended() {}, failed() {} }; // who is told of what happens
let attempt = 0; // an answer of the browser to an older one is stale
let mustLoad = false; // whether the sound failed before
let place = { seconds: 0, since: 0 }; // where the sound was last seen to move, and when

const addressOf = (name) => `stimuli/${name}.wav`;
const isPlaying = () => Boolean(player?.classList.contains("playing"));

function placePlayer(name, listener) {
  stop();
  player = element("player").content.firstElementChild.cloneNode(true);
  player.addEventListener("click", play);
  element(screen).querySelector("[data-slot=player]").replaceChildren(player);
  sayOnPlayer("play");
  heard = { playable() {}, started() {}, ended() {}, failed() {}, ...listener };
  mustLoad = false;
  audio.src = addressOf(name);
}

function sayOnPlayer(name) {
  player.querySelector(".play-text").textContent = text(name);
}

function stop() {
  attempt += 1;
  player?.classList.remove("playing");
  audio.pause();
}

async function play() {
  if (isPlaying()) return;
  const own = ++attempt;
  player.classList.add("playing");
  sayOnPlayer("playing");
  place = { seconds: -1, since: performance.now() };
  try {
    if (audio.error || mustLoad) audio.load();
    mustLoad = false;
    audio.currentTime = 0;
    await audio.play();
    if (own !== attempt) return;
    heard.started();
    drawPlayed();
  } catch {
    if (own === attempt) cannotPlay();
  }
}

function drawPlayed() {
  if (!isPlaying()) return;
  player.style.setProperty("--played", audio.duration ? audio.currentTime / audio.duration : 0);
  requestAnimationFrame(drawPlayed);
}

function cannotPlay() {
  if (!isPlaying()) return;
  stop();
  mustLoad = true;
  sayOnPlayer("play");
  notify("cannot_play");
  heard.failed();
}

// A server that keeps silent raises no error: a sound that does not move has failed.
setInterval(() => {
  if (!isPlaying()) return;
  const now = performance.now();
  if (audio.currentTime !== place.seconds) place = { seconds: audio.currentTime, since: now };
  else if (now - place.since > 1000 * test.stall_seconds) cannotPlay();
}, 100);

audio.addEventListener("error", cannotPlay);
audio.addEventListener("canplay", () => heard.playable());
audio.addEventListener("pause", () => {
  if (!isPlaying() || audio.ended) return;
  stop(); // a call, or headphones that were pulled out
  sayOnPlayer("play");
});
audio.addEventListener("ended", () => {
  hideNotice();
  stop();
  sayOnPlayer("play_again");
  heard.ended();
});
