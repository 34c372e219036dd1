import type { Stream } from "../api/types";
import { Curl } from "../shell/curl";
import { exampleData } from "../streams/input_words";

export function EmptyStream({ stream }: { stream: Stream }) {
  const path = `/v1/streams/${encodeURIComponent(stream.name)}/samples`;
  return (
    <section class="card welcome">
      <h2>No samples yet</h2>
      <p class="quiet">
        Post the first one; the answer carries the prediction and its uncertainty. Questions for
        people appear on the Label page, figures here.
      </p>
      <Curl method="POST" path={path} body={`{"data": ${exampleData(stream.input)}}`} />
    </section>
  );
}
