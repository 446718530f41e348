// Loaded on every page: the components of GOV.UK and of the Ministry of Justice, and live boards.

import { initAll as initGovuk } from "govuk-frontend";
import { initAll as initMoj } from "@ministryofjustice/frontend";
import { startBoard } from "./board.mjs";
import { startCommands } from "./commands.mjs";

initGovuk();
initMoj();
for (const board of document.querySelectorAll("[data-refresh-src][data-refresh-s]")) {
  startBoard(board, (scope) => initGovuk({ scope }));
}
for (const commands of document.querySelectorAll("[data-commands-src]")) {
  startCommands(commands);
}
