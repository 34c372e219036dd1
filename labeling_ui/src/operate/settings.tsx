import { useState } from "preact/hooks";
import type { Engram } from "../api/engram";
import { wordsOf } from "../api/problem";
import type { Role, Stream, StreamChange } from "../api/types";
import { classColours } from "../colours";
import { may, whyNot } from "../signin/permissions";

interface SettingsParts {
  api: Engram;
  stream: Stream;
  role: Role;
  onChanged: (stream: Stream) => void;
}

/** What an operator may change while the stream runs. */
export function Settings({ api, stream, role, onChanged }: SettingsParts) {
  const allowed = may(role, "change");
  const [guidelines, setGuidelines] = useState(stream.guidelines);
  const [budget, setBudget] = useState(String(Number((stream.query.budget * 100).toPrecision(6))));
  const [newClass, setNewClass] = useState("");
  const [colours, setColours] = useState<Record<string, string>>({});
  const [said, say] = useState("");
  const shown = classColours(stream.classes, { ...stream.colours, ...colours });

  const save = async (event: Event) => {
    event.preventDefault();
    const change: StreamChange = {};
    if (guidelines !== stream.guidelines) change.guidelines = guidelines;
    if (Number(budget) / 100 !== stream.query.budget)
      change.query = { budget: Number(budget) / 100 };
    if (newClass.trim()) change.add_classes = [newClass.trim()];
    if (Object.keys(colours).length > 0) change.colours = { ...stream.colours, ...colours };
    if (Object.keys(change).length === 0) return say("Nothing has changed.");
    try {
      onChanged(await api.change(stream.name, change));
      setNewClass("");
      setColours({});
      say("Saved.");
    } catch (error) {
      say(wordsOf(error));
    }
  };

  return (
    <details class="card settings">
      <summary>
        <h2>Settings</h2>
      </summary>
      <form onSubmit={save}>
        {!allowed && <p class="quiet">{whyNot(role, "change")}</p>}
        <fieldset disabled={!allowed}>
          <label class="field">
            <span>Guidelines for annotators</span>
            <textarea
              rows={5}
              value={guidelines}
              onInput={(event) => setGuidelines(event.currentTarget.value)}
            />
          </label>
          <div class="field-row">
            <label class="field">
              <span>Query budget, % of samples</span>
              <input
                type="number"
                min="0"
                max="100"
                step="any"
                value={budget}
                onInput={(event) => setBudget(event.currentTarget.value)}
              />
            </label>
            <label class="field">
              <span>Add a class</span>
              <input
                value={newClass}
                maxLength={200}
                onInput={(event) => setNewClass(event.currentTarget.value)}
              />
            </label>
          </div>
          <div class="swatches" role="group" aria-label="Class colours">
            {stream.classes.map((name) => (
              <label key={name} class="swatch">
                <input
                  type="color"
                  value={shown.get(name)}
                  onInput={(event) => setColours({ ...colours, [name]: event.currentTarget.value })}
                />
                {name}
              </label>
            ))}
          </div>
          <div class="field-row">
            <button class="button primary">Save</button>
            <span role="status" class="quiet">
              {said}
            </span>
          </div>
        </fieldset>
      </form>
    </details>
  );
}
