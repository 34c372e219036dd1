interface ClassButtonParts {
  name: string;
  shortcut: string | null;
  colour: string;
  /** Answered so before the question was brought back. */
  previous: boolean;
  disabled: boolean;
  onAnswer: (label: string) => void;
}

export function ClassButton(parts: ClassButtonParts) {
  const { name, shortcut, colour, previous, disabled, onAnswer } = parts;
  const spoken = [name, previous && "your earlier answer", shortcut && `key ${shortcut}`];
  return (
    <button
      class="class-button"
      data-testid={`class-button-${name}`}
      data-label={name}
      data-previous={previous || undefined}
      style={{ "--class-colour": colour }}
      aria-label={spoken.filter(Boolean).join(", ")}
      aria-keyshortcuts={shortcut ?? undefined}
      disabled={disabled}
      onClick={() => onAnswer(name)}
    >
      {shortcut !== null && shortcut !== name && <kbd>{shortcut}</kbd>}
      {shortcut === name ? <kbd class="is-name">{name}</kbd> : <span>{name}</span>}
      {previous && <small>before</small>}
    </button>
  );
}
