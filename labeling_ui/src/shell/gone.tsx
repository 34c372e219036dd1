/** In place of a stream's page when there is no such stream. */
export function StreamGone({ name }: { name: string }) {
  return (
    <section class="page gone" role="alert">
      <h1 class="page-title">There is no stream {name}</h1>
      <p class="quiet">It was deleted, or its address is mistyped.</p>
      <a class="button" href="#/">
        All streams
      </a>
    </section>
  );
}
