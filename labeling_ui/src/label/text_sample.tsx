const LONG = 280;

export function TextSample({ text, beside = false }: { text: string; beside?: boolean }) {
  const size = beside ? "caption" : text.length > LONG ? "long" : "short";
  return (
    <p class={`sample-text ${size}`} dir="auto">
      {text}
    </p>
  );
}

interface TableParts {
  row: Record<string, unknown>;
  /** The stream's fields, in its order. */
  fields: readonly string[];
}

export function TableSample({ row, fields }: TableParts) {
  const names = [...new Set([...fields, ...Object.keys(row)])];
  return (
    <table class="sample-table">
      <caption class="sr-only">The sample to label</caption>
      <tbody>
        {names.map((name) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{row[name] == null ? <span class="quiet">missing</span> : wordsFor(row[name])}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function wordsFor(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
