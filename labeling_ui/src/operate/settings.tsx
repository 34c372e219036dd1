import { useState } from "preact/hooks";
import type { Engram } from "../api/engram";
import { ApiError, wordsOf } from "../api/problem";
import type { Role, Stream, StreamChange } from "../api/types";
import { classColours } from "../colours";
import { may, whyNot } from "../signin/permissions";
import type { FieldName } from "./asking_fields";
import { type AskingEdits, changesOf, refusalsOf } from "./asking_form";
import { AskingSettings } from "./asking_settings";

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
  const [asking, setAsking] = useState<AskingEdits>({});
  const [refused, setRefused] = useState<AskingEdits>({});
  const [newClass, setNewClass] = useState("");
  const [colours, setColours] = useState<Record<string, string>>({});
  const [said, say] = useState("");
  const shown = classColours(stream.classes, { ...stream.colours, ...colours });

  const edit = (name: FieldName, value: string) => {
    setAsking({ ...asking, [name]: value });
    setRefused({ ...refused, [name]: undefined });
  };

  const save = async (event: Event) => {
    event.preventDefault();
    setRefused({});
    const change: StreamChange = {};
    if (guidelines !== stream.guidelines) change.guidelines = guidelines;
    const query = changesOf(stream.query, asking);
    if (Object.keys(query).length > 0) change.query = query;
    if (newClass.trim()) change.add_classes = [newClass.trim()];
    if (Object.keys(colours).length > 0) change.colours = { ...stream.colours, ...colours };
    if (Object.keys(change).length === 0) return say("Nothing has changed.");
    try {
      onChanged(await api.change(stream.name, change));
      setAsking({});
      setNewClass("");
      setColours({});
      say("Saved.");
    } catch (error) {
      const { byField, rest } = refusalsOf(error instanceof ApiError ? error.faults : []);
      setRefused(byField);
      const marked = Object.keys(byField).length > 0 && !rest;
      say(marked ? "Nothing was saved: see what is marked above." : wordsOf(error));
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
          <AskingSettings policy={stream.query} edits={asking} refused={refused} onEdit={edit} />
          <label class="field narrow">
            <span>Add a class</span>
            <input
              value={newClass}
              maxLength={200}
              onInput={(event) => setNewClass(event.currentTarget.value)}
            />
          </label>
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
