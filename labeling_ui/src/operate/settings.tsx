import { useState } from "preact/hooks";
import type { Engram } from "../api/engram";
import { ApiError, wordsOf } from "../api/problem";
import type { Role, Stream } from "../api/types";
import { classColours } from "../colours";
import { may, whyNot } from "../signin/permissions";
import type { FieldName } from "./asking_fields";
import { type AskingEdits, refusalsOf } from "./asking_form";
import { AskingSettings } from "./asking_settings";
import { guidelinesCollide, NO_EDITS, type SettingsEdits, settingsChange } from "./settings_form";

interface SettingsParts {
  api: Engram;
  stream: Stream;
  role: Role;
  onChanged: (stream: Stream) => void;
}

/** What an operator may change while the stream runs. */
export function Settings({ api, stream, role, onChanged }: SettingsParts) {
  const allowed = may(role, "change");
  const [edits, setEdits] = useState(NO_EDITS);
  const [refused, setRefused] = useState<AskingEdits>({});
  const [said, say] = useState("");
  const shown = classColours(stream.classes, { ...stream.colours, ...edits.colours });
  const edit = (more: Partial<SettingsEdits>) => setEdits({ ...edits, ...more });

  const editAsking = (name: FieldName, value: string) => {
    edit({ asking: { ...edits.asking, [name]: value } });
    setRefused({ ...refused, [name]: undefined });
  };

  const save = async (event: Event) => {
    event.preventDefault();
    setRefused({});
    try {
      const change = settingsChange(await api.stream(stream.name), edits);
      if (Object.keys(change).length === 0) return say("Nothing has changed.");
      onChanged(await api.change(stream.name, change));
      setEdits(NO_EDITS);
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
              value={edits.guidelines?.text ?? stream.guidelines}
              onInput={({ currentTarget: { value: text } }) =>
                edit({
                  guidelines: { text, before: edits.guidelines?.before ?? stream.guidelines },
                })
              }
            />
          </label>
          {guidelinesCollide(stream, edits) && (
            <p class="fine problem" role="alert">
              Somebody else has changed the guidelines meanwhile: saving replaces theirs with these.
            </p>
          )}
          <AskingSettings
            policy={stream.query}
            edits={edits.asking}
            refused={refused}
            onEdit={editAsking}
          />
          <label class="field narrow">
            <span>Add a class</span>
            <input
              value={edits.newClass}
              maxLength={200}
              onInput={(event) => edit({ newClass: event.currentTarget.value })}
            />
          </label>
          <div class="swatches" role="group" aria-label="Class colours">
            {stream.classes.map((name) => (
              <label key={name} class="swatch">
                <input
                  type="color"
                  value={shown.get(name)}
                  onInput={(event) =>
                    edit({ colours: { ...edits.colours, [name]: event.currentTarget.value } })
                  }
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
