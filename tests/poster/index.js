// Hands mail to the Worker the way Email Routing does, and everything else unchanged.
//
//   POST /__post?from=ADDRESS&to=ADDRESS[&target=null]   body: the raw message, byte for byte
//     -> {"outcome": "ok" | "rejected" | "exception", "rejectReason"?, "error"?, "forwards"?, "replies"?}
//
// Why not the built-in /cdn-cgi/local/email: it parses the mail first and refuses odd but legal ones.

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    if (url.pathname !== "/__post") return env.TARGET.fetch(request);
    if (request.method !== "POST") return new Response("POST a raw message here\n", { status: 405 });
    const query = url.searchParams;
    const raw = new Uint8Array(await request.arrayBuffer());
    const target = query.get("target") === "null" ? env.NULL : env.TARGET;
    return Response.json(await post(target, query.get("from") ?? "", query.get("to") ?? "", raw));
  },

  async scheduled(event, env) {
    await env.TARGET.scheduled({ cron: event.cron, scheduledTime: event.scheduledTime });
  },
};

async function post(target, from, to, raw) {
  let rejectReason;
  const forwards = [];
  const replies = [];
  const message = {
    // What Email Routing shows for a null sender.
    from: from === "" ? "<>" : from,
    to,
    headers: headersOf(raw),
    raw: new Response(raw).body,
    rawSize: raw.length,
    canBeForwarded: true,
    setReject(reason) {
      rejectReason ??= String(reason);
    },
    async forward(recipient, headers) {
      forwards.push({ recipient, headers: headers ? [...headers] : [] });
      return { messageId: crypto.randomUUID() };
    },
    async reply(answer) {
      replies.push({ from: answer?.from, to: answer?.to });
      return { messageId: crypto.randomUUID() };
    },
  };
  try {
    await target.email(message);
  } catch (error) {
    return { outcome: "exception", error: String(error?.message ?? error) };
  }
  // setReject is a call back over RPC and arrives just after the handler's promise: one turn of the event loop later in
  // each of 2 000 tries under load. The second turn is for the day that changes.
  for (let turn = 0; turn < 2 && rejectReason === undefined; turn++) {
    await new Promise((done) => setTimeout(done, 0));
  }
  const outcome = rejectReason === undefined ? "ok" : "rejected";
  return { outcome, rejectReason, forwards, replies };
}

// The header section as Headers, one char for each byte. Fields that HTTP does not allow are left out: the raw mail has them.
function headersOf(raw) {
  let end = 0;
  for (let start = 0; end < raw.length; start = end) {
    end = raw.indexOf(10, start) + 1 || raw.length;
    if (end - start === 1 || (end - start === 2 && raw[start] === 13)) break;
  }
  let text = "";
  for (let i = 0; i < end; i += 8192) text += String.fromCharCode(...raw.subarray(i, Math.min(end, i + 8192)));
  const headers = new Headers();
  for (const field of text.replace(/\r?\n[ \t]+/g, " ").split(/\r?\n/)) {
    const colon = field.indexOf(":");
    if (colon < 1) continue;
    try {
      headers.append(field.slice(0, colon).trim(), field.slice(colon + 1).trim());
    } catch {
      // not a legal HTTP header
    }
  }
  return headers;
}
