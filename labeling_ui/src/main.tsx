import { render } from "preact";
import { Client } from "./api/client";
import { Engram } from "./api/engram";
import { App } from "./app";
import { parseRoute } from "./router";
import { SessionStore } from "./signin/session_store";
import { StreamList } from "./streams/stream_list";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/streams.css";
import "./styles/label.css";
import "./styles/answers.css";
import "./styles/sample.css";
import "./styles/side.css";
import "./styles/operate.css";
import "./styles/plots.css";

const address = document.querySelector<HTMLMetaElement>('meta[name="engram-api"]')?.content;
const client = new Client(address ?? "/v1", (input, init) => fetch(input, init));
const api = new Engram(client);
const session = new SessionStore(api);
client.onSignedOut = () => session.ended();

render(
  <App api={api} session={session} streams={new StreamList(api)} />,
  document.getElementById("app")!,
);
// A link that signs in asks by itself; the question before it would only be refused.
const route = parseRoute(location.hash);
if (!(route.page === "signin" && route.token)) void session.restore();
