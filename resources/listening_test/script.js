"use strict";
// A listening test in one page. What participants do is kept on their device after every step, so a reload loses
// nothing. All words come from the texts of the test and are written as text, never as markup.
(() => {
  const test = JSON.parse(document.getElementById("test").textContent);
  const link = new URLSearchParams(location.search);
  const storageName = `listening-test:${test.test_id}:${link.get("session") ?? "any"}:${link.get("participant") ?? ""}`;
  const element = (id) => document.getElementById(id);
  const text = (name, values = {}) =>
    String(test.texts[name] ?? "").replace(/\{(\w+)\}/g, (whole, key) => (key in values ? values[key] : whole));

  let state = null; // what is kept; see newState
  let screen = null; // the name of the section on show
  let trial = null; // what happens with the current sound; see showTrial

  // ------------------------------------------------------------------ state

  function newState(session) {
    return {
      submission_id: randomName(16),
      participant: link.get("participant") || `anonymous-${randomName(4)}`,
      session: session.number,
      list_id: session.list_id,
      listening_device: "",
      started_at: new Date().toISOString(),
      finished_at: null,
      reloads: 0,
      screen: "welcome",
      ratings: [],
    };
  }

  function randomName(bytes) {
    return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function load() {
    try {
      return JSON.parse(localStorage.getItem(storageName));
    } catch {
      return null; // private windows may forbid storage
    }
  }

  function keep() {
    try {
      localStorage.setItem(storageName, JSON.stringify(state));
    } catch {
      notify("not_kept");
    }
  }

  const session = () => test.sessions.find((candidate) => candidate.number === state.session);
  const stimuli = () => [...session().training, ...session().trials];

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

  function fillTexts() {
    for (const target of document.querySelectorAll("[data-text]")) target.textContent = text(target.dataset.text);
    for (const target of document.querySelectorAll("[data-paragraphs]")) {
      for (const paragraph of test.texts[target.dataset.paragraphs]) {
        target.append(Object.assign(document.createElement("p"), { textContent: paragraph }));
      }
    }
  }

  // ----------------------------------------------------------------- player

  const audio = new Audio();
  audio.preload = "auto";
  const ahead = new Audio(); // loads the next sound while this one is rated
  ahead.preload = "auto";
  let player = null; // the button on show
  let onEnded = () => {};

  const addressOf = (name) => `stimuli/${name}.wav`;

  function placePlayer(name, ended) {
    stop();
    player = element("player").content.firstElementChild.cloneNode(true);
    player.addEventListener("click", play);
    element(screen).querySelector("[data-slot=player]").replaceChildren(player);
    player.querySelector(".play-text").textContent = text("play");
    onEnded = ended;
    audio.src = addressOf(name);
  }

  function stop() {
    audio.pause();
    player?.classList.remove("playing");
  }

  async function play() {
    if (player.classList.contains("playing")) return;
    if (trial) trial.plays += 1;
    try {
      if (audio.error) audio.load();
      audio.currentTime = 0;
      player.classList.add("playing");
      player.querySelector(".play-text").textContent = text("playing");
      await audio.play();
      drawPlayed();
    } catch {
      cannotPlay();
    }
  }

  function drawPlayed() {
    if (!player.classList.contains("playing")) return;
    player.style.setProperty("--played", audio.duration ? audio.currentTime / audio.duration : 0);
    requestAnimationFrame(drawPlayed);
  }

  function cannotPlay() {
    if (!player?.classList.contains("playing")) return;
    player.classList.remove("playing");
    player.querySelector(".play-text").textContent = text("play");
    if (trial) trial.plays -= 1;
    notify("cannot_play");
  }

  audio.addEventListener("error", cannotPlay);
  audio.addEventListener("ended", () => {
    element("notice").hidden = true;
    player.classList.remove("playing");
    player.querySelector(".play-text").textContent = text("play_again");
    onEnded();
  });

  // ----------------------------------------------------------------- trials

  function buildScale() {
    test.labels.forEach((label, index) => {
      const score = index + 1;
      const tile = document.createElement("label");
      tile.className = "score";
      const input = Object.assign(document.createElement("input"), { type: "radio", name: "score", value: score });
      if (label) input.setAttribute("aria-label", `${score}, ${label}`);
      const face = document.createElement("span");
      face.append(Object.assign(document.createElement("b"), { textContent: score }));
      if (labelsInside()) face.append(Object.assign(document.createElement("small"), { textContent: label }));
      tile.append(input, face);
      element("scores").append(tile);
    });
    const ends = element("ends").children;
    element("ends").hidden = labelsInside();
    ends[0].textContent = `1: ${test.labels[0]}`;
    ends[1].textContent = `${test.labels.length}: ${test.labels.at(-1)}`;
  }

  const labelsInside = () => test.labels.every((label) => label);

  function showTrial() {
    const index = state.ratings.length;
    if (index >= stimuli().length) return finish();
    show("trial");
    const training = session().training.length;
    const practising = index < training;
    element("practice-badge").hidden = !practising;
    element("trial-number").textContent = practising
      ? text("trial_of", { n: index + 1, total: training })
      : text("trial_of", { n: index - training + 1, total: session().trials.length });
    element("rating-form").reset();
    element("scale").disabled = true;
    element("next").disabled = true;
    trial = { stimulus: stimuli()[index], practising, plays: 0, ended: false, shownAt: performance.now() };
    placePlayer(trial.stimulus, () => {
      trial.ended = true;
      element("scale").disabled = false;
      element("status").textContent = chosenScore() ? text("chosen", { score: chosenScore() }) : text("choose_now");
    });
    const justOver = index === training && training > 0;
    element("status").textContent = `${justOver ? `${text("practice_over")} ` : ""}${text("listen_first")}`;
    if (index + 1 < stimuli().length) ahead.src = addressOf(stimuli()[index + 1]);
    player.focus({ preventScroll: true });
  }

  const chosenScore = () => Number(new FormData(element("rating-form")).get("score")) || null;

  function choose(score) {
    if (!trial?.ended) return;
    const input = element("scores").querySelector(`input[value="${score}"]`);
    input.checked = true;
    if (document.activeElement?.name === "score") input.focus(); // the focus goes with the choice
    scoreChosen();
  }

  function scoreChosen() {
    element("next").disabled = false;
    element("status").textContent = text("chosen", { score: chosenScore() });
  }

  function rate() {
    const score = chosenScore();
    if (!trial?.ended || !score) return;
    stop();
    state.ratings.push({
      stimulus: trial.stimulus,
      trial_index: state.ratings.length,
      rating: score,
      time_ms: Math.round(performance.now() - trial.shownAt),
      n_plays: trial.plays,
      played_to_end: trial.ended,
      is_training: trial.practising,
    });
    trial = null;
    keep();
    showTrial();
  }

  // ----------------------------------------------------------------- finish

  function finish() {
    state.finished_at ??= new Date().toISOString();
    state.screen = "finish";
    keep();
    show("finish");
    element("delivery").textContent = text("finish_download");
    if (test.contact) {
      const anchor = element("email").querySelector("a");
      const subject = encodeURIComponent(text("email_subject", { code: state.participant }));
      anchor.href = `mailto:${encodeURIComponent(test.contact).replace("%40", "@")}?subject=${subject}`;
      anchor.textContent = text("email", { address: test.contact });
      element("email").hidden = false;
    }
    if (test.submit_url) send();
  }

  function answers() {
    const { screen: _screen, sent: _sent, ...kept } = state;
    return { format: test.format, version: test.version, test_id: test.test_id, simulated: false, ...kept };
  }

  const fileName = () => `listening-test_${state.participant.replace(/[^A-Za-z0-9._-]/g, "-")}_${state.session}.json`;

  function download() {
    const address = URL.createObjectURL(new Blob([`${JSON.stringify(answers(), null, 2)}\n`], { type: "application/json" }));
    Object.assign(document.createElement("a"), { href: address, download: fileName() }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
    element("delivery").textContent = text("downloaded", { file: fileName() });
  }

  async function send() {
    if (state.sent) return delivered();
    element("send").hidden = true;
    element("delivery").textContent = text("sending");
    try {
      const headers = { "Content-Type": "application/json" };
      const reply = await fetch(test.submit_url, { method: "POST", headers, body: JSON.stringify(answers()) });
      if (!reply.ok) throw new Error(`status ${reply.status}`);
      state.sent = true;
      keep();
      delivered();
    } catch {
      element("delivery").textContent = text("not_sent");
      element("send").hidden = false;
    }
  }

  function delivered() {
    element("delivery").textContent = text("sent");
    element("send").hidden = true;
    element("email").hidden = true;
  }

  // --------------------------------------------------------------- controls

  function connect() {
    element("agreed").addEventListener("change", (event) => {
      element("consent-form").querySelector("button").disabled = !event.target.checked;
    });
    element("consent-form").addEventListener("submit", (event) => {
      event.preventDefault();
      state.participant = element("code").value.trim() || state.participant;
      show("instructions");
    });
    document.querySelector("[data-action=volume]").addEventListener("click", showVolume);
    element("device").addEventListener("change", (event) => {
      state.listening_device = event.target.value;
      allowTrials();
    });
    document.querySelector("[data-action=trials]").addEventListener("click", () => {
      state.screen = "trial";
      keep();
      showTrial();
    });
    document.querySelector("[data-action=resume]").addEventListener("click", showTrial);
    element("scores").addEventListener("change", scoreChosen);
    element("rating-form").addEventListener("submit", (event) => {
      event.preventDefault();
      rate();
    });
    element("download").addEventListener("click", download);
    element("send").addEventListener("click", send);
    document.addEventListener("keydown", handleKey);
  }

  let heardVolume = false;

  function showVolume() {
    show("volume");
    placePlayer(test.volume, () => {
      heardVolume = true;
      allowTrials();
    });
  }

  function allowTrials() {
    document.querySelector("[data-action=trials]").disabled = !(heardVolume && state.listening_device);
  }

  // Keys act on the trial, unless the focused control has its own use for them.
  function handleKey(event) {
    if (screen !== "trial" || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const onButton = event.target.tagName === "BUTTON";
    const onFreeScore = event.target.type === "radio" && !event.target.checked;
    if (event.key === " " && !onButton && !onFreeScore) {
      event.preventDefault();
      play();
    } else if (event.key === "Enter" && event.target.id !== "next") {
      event.preventDefault();
      if (event.target === player && !trial?.ended) play();
      else rate();
    } else if (/^[1-9]$/.test(event.key) && Number(event.key) <= test.labels.length) {
      choose(Number(event.key));
    }
  }

  // ------------------------------------------------------------------ start

  function start() {
    fillTexts();
    buildScale();
    connect();
    const kept = load();
    const wanted = link.get("session");
    const known = test.sessions.find((candidate) => String(candidate.number) === wanted);
    if (wanted !== null && !known) return notify("no_session", { session: wanted });
    const anyone = test.sessions[Math.floor(Math.random() * test.sessions.length)];
    state = kept ?? newState(known ?? anyone);
    element("code").value = state.participant;
    if (kept) state.reloads += 1;
    keep();
    if (state.screen === "finish") finish();
    else if (state.screen === "trial") {
      const values = { n: state.ratings.length, total: stimuli().length };
      element("resume-text").textContent = text("resume_text", values);
      show("resume");
    } else show("welcome");
  }

  start();
})();
