import { WorkerEntrypoint } from "cloudflare:workers";

export default class extends WorkerEntrypoint {
  async fetch() {
    return new Response("null\n");
  }

  async email(message) {
    // Reads the mail, since no Worker can do less and still take it.
    await new Response(message.raw).arrayBuffer();
  }
}
