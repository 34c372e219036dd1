import type { Display, InputKind, Query } from "../api/types";
import { PictureView, PngView } from "./image_sample";
import { pictureFromNested, pictureFromVector } from "./pixels";
import { TableSample, TextSample } from "./text_sample";
import { VectorSample } from "./vector_sample";

interface SampleParts {
  query: Query;
  input: InputKind | null;
}

/** A sample as a person can judge it; what the producer wants displayed comes first. */
export function SampleView({ query, input }: SampleParts) {
  const display = query.display ?? {};
  const picture = display.png ? (
    <PngView base64={display.png} />
  ) : (
    display.text === undefined && <DataView data={query.data} display={display} input={input} />
  );
  return (
    <>
      {picture}
      {display.text !== undefined && <TextSample text={display.text} beside={Boolean(picture)} />}
    </>
  );
}

interface DataParts {
  data: unknown;
  display: Display;
  input: InputKind | null;
}

function DataView({ data, display, input }: DataParts) {
  if (typeof data === "string") return <TextSample text={data} />;
  if (isNumbers(data)) {
    const picture = display.shape && pictureFromVector(data, display.shape);
    return picture ? <PictureView picture={picture} /> : <VectorSample values={data} />;
  }
  if (Array.isArray(data)) {
    const picture = pictureFromNested(data);
    if (picture) return <PictureView picture={picture} />;
  }
  if (data && typeof data === "object") {
    const { png } = data as { png?: unknown };
    if (typeof png === "string") return <PngView base64={png} onBlack />;
    const fields = input?.kind === "tabular" ? Object.keys(input.fields) : [];
    return <TableSample row={data as Record<string, unknown>} fields={fields} />;
  }
  return <p class="quiet">This sample’s data is no longer kept.</p>;
}

function isNumbers(data: unknown): data is number[] {
  return Array.isArray(data) && data.length > 0 && data.every((value) => typeof value === "number");
}
