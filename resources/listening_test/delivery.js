// Saving the answers as a file and sending them, at any time. An address that does not answer is given up in time.

let isSending = false;

function answers() {
  const { screen: _screen, delivered: _delivered, ...kept } = state;
  return { format: test.format, version: test.version, test_id: test.test_id, simulated: false, ...kept };
}

const fileName = () => `listening-test_${state.participant.replace(/[^A-Za-z0-9._-]/g, "-")}_${state.session}.json`;

// Shows what became of the answers, at the end of a session or in a pause of it.
function showAnswers() {
  hideNotice();
  stop();
  trial = null;
  if (isComplete()) {
    state.finished_at ??= new Date().toISOString();
    state.screen = "finish";
    if (!keep()) return;
  }
  show("finish");
  const numbers = { n: state.ratings.length, total: stimuli().length };
  element("finish-title").textContent = isComplete() ? text("finish_title") : text("pause_title");
  element("finish-text").textContent = isComplete() ? text("finish_text") : text("pause_text", numbers);
  element("go-on").hidden = isComplete();
  element("anew").hidden = !isComplete();
  element("send").hidden = !test.submit_url || isComplete();
  element("send").textContent = text("send");
  element("completion").hidden = true;
  showAddress();
  const handOver = test.contact ? text("finish_download") : text("finish_hand_over");
  element("delivery").textContent = isComplete() && !test.submit_url ? handOver : "";
  if (isDelivered()) delivered(test.submit_url ? text("sent") : "");
  else if (isComplete() && test.submit_url) send();
}

function showAddress() {
  if (!test.contact) return;
  const anchor = element("email").querySelector("a");
  const subject = encodeURIComponent(text("email_subject", { code: state.participant }));
  anchor.href = `mailto:${encodeURIComponent(test.contact).replace("%40", "@")}?subject=${subject}`;
  anchor.textContent = text("email", { address: test.contact });
  element("email").hidden = false;
}

function download() {
  const address = URL.createObjectURL(new Blob([`${JSON.stringify(answers(), null, 2)}\n`], { type: "application/json" }));
  Object.assign(document.createElement("a"), { href: address, download: fileName() }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
  if (isSending) return; // what became of that is said there
  if (!test.submit_url) state.delivered = state.ratings.length;
  if (!keep()) return;
  delivered(text("downloaded", { file: fileName() }));
}

// Says that the answers have arrived, or were saved. Who has done all is then given the way back.
function delivered(words) {
  if (words) element("delivery").textContent = words;
  const isSent = Boolean(test.submit_url) && isDelivered();
  element("send").hidden ||= isSent;
  element("email").hidden ||= isSent;
  if (!isComplete() || !(test.completion_code || test.return_url)) return;
  element("completion").hidden = false;
  element("completion-code").textContent = test.completion_code ? text("completion", { code: test.completion_code }) : "";
  element("return").hidden = !test.return_url;
  const values = { ...state.ids, code: test.completion_code };
  element("return").href = test.return_url.replace(/\{([\w-]+)\}/g, (_whole, name) => encodeURIComponent(values[name] ?? ""));
}

async function send() {
  if (isSending) return;
  isSending = true;
  element("send").hidden = true;
  const sentState = state;
  const number = state.ratings.length;
  const body = JSON.stringify(answers());
  const isSent = await post(body);
  isSending = false;
  if (isSent) sentState.delivered = number;
  if (!keep() || screen !== "finish" || state !== sentState) return; // someone else may have begun meanwhile
  if (state.ratings.length !== number) return showAnswers(); // there is more to send
  if (isSent) return delivered(isComplete() ? text("sent") : text("sent_so_far", { n: number, total: stimuli().length }));
  element("delivery").textContent = text("not_sent");
  element("send").hidden = false;
  element("send").textContent = text("send_again");
}

// Posts the answers, with a few tries, and tells whether they have arrived.
async function post(body) {
  for (const seconds of test.send_waits) {
    await new Promise((done) => setTimeout(done, 1000 * seconds));
    if (screen === "finish") element("delivery").textContent = text("sending");
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), 1000 * test.send_seconds);
    try {
      const headers = { "Content-Type": "application/json" };
      const reply = await fetch(test.submit_url, { method: "POST", headers, body, signal: controller.signal });
      if (reply.ok) return true;
      if (reply.status < 500 && reply.status !== 429) return false; // the same answers would be refused again
    } catch {
      // no connection, or no answer in time: the next try may have more luck
    } finally {
      clearTimeout(timer);
    }
  }
  return false;
}
