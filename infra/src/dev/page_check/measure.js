// What a tester measures in a page: contrast as the browser computes it, sizes,
// names, and what can be reached. Gives a list of faults, in words.
(() => {
  const faults = [];
  const say = (element, what) => faults.push(
    `<${element.tagName.toLowerCase()} class="${element.getAttribute("class") ?? ""}"> ` +
    `"${(element.textContent ?? "").trim().slice(0, 40)}": ${what}`);
  const shown = element => element.checkVisibility({ visibilityProperty: true });
  // What is around a choice belongs to it, and is touched like it.
  const framed = element => (element.matches("[type=radio], [type=checkbox]") && element.closest("label")) || element;

  // Colours, by the formula of WCAG 2.2. Every background here is opaque or none.
  const parts = colour => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = ([r, g, b]) => [r, g, b]
    .map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, place) => sum + c * [0.2126, 0.7152, 0.0722][place], 0);
  const ratio = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  const under = element => {
    for (let at = element; at; at = at.parentElement) {
      const [r, g, b, a = 1] = parts(getComputedStyle(at).backgroundColor);
      if (a > 0 && a < 1) say(at, "a background that is half transparent");
      if (a === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !shown(element)) continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const found = ratio(parts(style.color), under(element));
    if (found < (large ? 3 : 4.5)) say(element, `contrast ${found.toFixed(2)}`);
    if (size < 13.9) say(element, `letters of ${size} px`);
  }
  for (const one of document.querySelectorAll("input, textarea")) {
    if (!shown(one)) continue;
    const field = framed(one);
    const edge = ratio(parts(getComputedStyle(field).borderTopColor), under(field.parentElement));
    if (edge < 3) say(one, `its edge has contrast ${edge.toFixed(2)}`);
  }

  // Room for fingers (WCAG 2.2, 2.5.8 wants 24; 44 is what phones' makers want).
  for (const control of document.querySelectorAll("a, button, summary, select, input, textarea")) {
    if (!shown(control)) continue;
    const { width, height } = framed(control).getBoundingClientRect();
    if (Math.min(width, height) < 44) say(control, `${width} by ${height} px`);
  }

  // Nothing beside the page.
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) faults.push(`the page is ${scrollWidth} px wide, not ${clientWidth}`);
  for (const element of document.querySelectorAll("body *")) {
    const box = element.getBoundingClientRect();
    if (shown(element) && box.width > 0 && box.right > clientWidth + 1) say(element, "it sticks out");
    if (shown(element) && element.scrollWidth > element.clientWidth + 1
        && getComputedStyle(element).display !== "inline" && element.clientWidth > 0
        && !(element instanceof SVGElement) && !element.matches("input, textarea")) say(element, "its text sticks out");
  }

  // Landmarks and headings.
  // A form that came back with faults has no way to another language: it would lose what was typed.
  for (const [name, least] of [["header", 1], ["nav", 0], ["main", 1]]) {
    const found = document.querySelectorAll(name).length;
    if (found < least || found > 1) faults.push(`${found} of ${name}`);
  }
  let level = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
    const now = Number(heading.tagName[1]);
    if (now > level + 1) say(heading, `heading ${now} after ${level}`);
    level = now;
  }
  return faults;
})()
