// Whether headphones are worn (Woods et al. 2017): which of three tones is the quietest? One of the louder two is in
// antiphase. Over loudspeakers it cancels and seems the quietest; over headphones it does not.

let check = null; // what happens with the tones; see nextTones

function startHeadphoneCheck() {
  const order = test.headphones.sounds.map((sound) => [Math.random(), sound]).sort((a, b) => a[0] - b[0]);
  check = { left: order.map(([_, sound]) => sound), right: 0, total: order.length, tones: null };
  show("headphones");
  nextTones();
}

function nextTones() {
  check.tones = check.left.pop();
  allowTones(false);
  element("tones-number").textContent = text("tones_of", { n: check.total - check.left.length, total: check.total });
  placePlayer(check.tones.name, {
    ended: () => allowTones(true),
    failed: () => {
      state.headphone_scores.push(null);
      beginTrials(); // the check says nothing then; what follows may well be there
      notify("cannot_play");
    },
  });
  player.focus({ preventScroll: true });
}

function allowTones(allowed) {
  for (const button of document.querySelectorAll("[data-tone]")) button.disabled = !allowed;
}

function chooseTone(number) {
  check.right += number === check.tones.quietest;
  if (check.left.length) return nextTones();
  state.headphone_scores.push(check.right);
  if (check.right >= test.headphones.enough) return beginTrials();
  if (state.headphone_scores.length < test.headphones.tries) {
    startHeadphoneCheck();
    return notify("headphones_again");
  }
  if (!test.headphones.is_required) return beginTrials();
  stop();
  if (keep()) show("no-headphones"); // after a reload, with headphones, it may be tried again
}
