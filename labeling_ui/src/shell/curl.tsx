import { useState } from "preact/hooks";

interface CurlParts {
  method: string;
  path: string;
  body: string;
}

/** A command line to copy, with the address of this very server. */
export function Curl({ method, path, body }: CurlParts) {
  const [copied, setCopied] = useState(false);
  const line = [
    `curl -X ${method} ${location.origin}${path} \\`,
    `  -H "Authorization: Bearer $ENGRAM_TOKEN" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d '${body}'`,
  ].join("\n");

  const copy = () => {
    // Browsers offer the clipboard to secure pages only.
    void navigator.clipboard?.writeText(line).then(() => setCopied(true));
  };

  return (
    <div class="curl">
      <pre tabIndex={0} aria-label="Command line">
        {line}
      </pre>
      {"clipboard" in navigator && (
        <button class="button ghost" onClick={copy}>
          {copied ? "Copied" : "Copy"}
        </button>
      )}
    </div>
  );
}
