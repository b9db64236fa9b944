// Elements and their texts. Whatever comes from the server becomes text, never markup.

/** Returns a new element: el("td", {class: "number"}, "42", other). Attributes that are null are left out. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) {
      element.setAttribute(key, value);
    }
  }
  element.append(...children.map(child => child instanceof Node ? child : String(child)));
  return element;
}

export const byId = id => document.getElementById(id);

/** Changes a text if it is another one, so that nothing is announced or laid out in vain. */
export function setText(element, text) {
  const value = String(text);
  if (element.textContent !== value) {
    element.textContent = value;
  }
}

export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== String(value)) {
    element.setAttribute(name, value);
  }
}

/** Returns a table; a column is {title, number, value}. */
export function table(caption, columns, rows) {
  const kind = column => column.number ? "number" : null;
  return el("table", {},
    el("caption", {class: "unseen"}, caption),
    el("thead", {}, el("tr", {},
      ...columns.map(column => el("th", {scope: "col", class: kind(column)}, column.title)))),
    el("tbody", {}, ...rows.map(row => el("tr", {},
      ...columns.map(column => el("td", {class: kind(column)}, column.value(row)))))));
}

export const integer = value => Number(value).toLocaleString("en").replaceAll(",", "\u202f");

export function millis(value) {
  if (value === null || value === undefined) {
    return "–";
  }
  return value < 10 ? `${value.toFixed(1)}\u00a0ms` : value < 1000 ? `${Math.round(value)}\u00a0ms` : `${(value / 1000).toFixed(1)}\u00a0s`;
}

/** Says something to those who do not see the page; only what has changed. */
export const announce = text => setText(byId("announcements"), text);

/** Returns the JSON of an answer. Throws an error whose message is the problem detail. */
export async function json(path, options = {}) {
  const response = await fetch(path, options);
  if (!response.ok) {
    throw await problem(response);
  }
  return response.json();
}

export async function problem(response) {
  try {
    const detail = await response.json();
    return new Error(detail.detail ?? detail.title ?? `status ${response.status}`);
  } catch {
    return new Error(`the server answered with status ${response.status}`);
  }
}

export const problemText = error => el("p", {class: "problem"}, error.message);
