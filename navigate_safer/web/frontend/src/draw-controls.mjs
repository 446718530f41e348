// The buttons above a drawing.

const BUTTONS = [
  ["draw", "Draw a part"],
  ["hole", "Draw a hole"],
  ["clear", "Clear the drawing"],
  ["nearer", "Zoom in"],
  ["further", "Zoom out"],
];

/** One button for each thing to do, in a group at the head of the place. */
export function addButtons(place, todo) {
  const group = document.createElement("div");
  group.className = "govuk-button-group";
  for (const [name, text] of BUTTONS) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "govuk-button govuk-button--secondary";
    button.textContent = text;
    button.addEventListener("click", todo[name]);
    group.append(button);
  }
  place.prepend(group);
}
