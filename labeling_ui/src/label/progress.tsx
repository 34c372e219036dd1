import { useEffect, useState } from "preact/hooks";
import { MISSING, whole } from "../format/numbers";
import type { LabelSession } from "./session";

interface ProgressParts {
  left: number | null;
  answered: number;
  session: LabelSession;
}

export function Progress({ left, answered, session }: ProgressParts) {
  // The pace fades while nothing is answered, so it is read anew now and then.
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), 5_000);
    return () => clearInterval(timer);
  }, []);
  const pace = session.pace.perMinute(Date.now());

  return (
    <dl class="progress" aria-label="Progress">
      <div>
        <dt>left</dt>
        <dd data-testid="remaining">{whole(left)}</dd>
      </div>
      <div>
        <dt>answered</dt>
        <dd data-testid="answered-count">{answered}</dd>
      </div>
      <div>
        <dt>per minute</dt>
        <dd>{pace === null ? MISSING : whole(pace)}</dd>
      </div>
    </dl>
  );
}
