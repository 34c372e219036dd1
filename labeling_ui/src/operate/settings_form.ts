import type { Stream, StreamChange } from "../api/types";
import { className } from "../class_name";
import { type AskingEdits, changesOf } from "./asking_form";

/** What was edited and not yet saved. What is not here shows what the service has, as it changes. */
export interface SettingsEdits {
  guidelines?: { text: string; before: string };
  asking: AskingEdits;
  newClass: string;
  colours: Record<string, string>;
}

export const NO_EDITS: SettingsEdits = { asking: {}, newClass: "", colours: {} };

/** The edits that differ from what the service has. Colours can only be sent together. */
export function settingsChange(stream: Stream, edits: SettingsEdits): StreamChange {
  const change: StreamChange = {};
  const { guidelines, asking, newClass, colours } = edits;
  if (guidelines && guidelines.text !== stream.guidelines) change.guidelines = guidelines.text;
  const query = changesOf(stream.query, asking);
  if (Object.keys(query).length > 0) change.query = query;
  if (className(newClass)) change.add_classes = [className(newClass)];
  if (Object.keys(colours).length > 0) change.colours = { ...stream.colours, ...colours };
  return change;
}

/** Whether somebody else wrote the guidelines anew while they were edited here. */
export function guidelinesCollide(stream: Stream, { guidelines }: SettingsEdits): boolean {
  if (!guidelines) return false;
  return stream.guidelines !== guidelines.before && stream.guidelines !== guidelines.text;
}
