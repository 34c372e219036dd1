import { SwaggerUIBundle } from "swagger-ui-dist";
import "swagger-ui-dist/swagger-ui.css";

/** The API's own description, to read and to try; served from here, so that it works without the internet. */
SwaggerUIBundle({
  dom_id: "#api",
  url: "openapi.json",
  deepLinking: true,
  tryItOutEnabled: true,
});
