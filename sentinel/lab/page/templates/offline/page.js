// Copies a table, or a command, from the page: no library, no request, nothing without a click.
(() => {
  const announcement = document.createElement("p");
  announcement.className = "announced";
  announcement.setAttribute("role", "status");
  document.body.append(announcement);

  const plain = (text) => text.replace(/\s+/g, " ").trim();

  // Where the browser gives no clipboard to a file, as some do.
  const selected = (text) => {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "announced";
    document.body.append(area);
    area.focus();
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };

  const copied = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return selected(text);
    }
  };

  const button = (name, label, text) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = name;
    made.setAttribute("aria-label", label);
    made.addEventListener("click", async () => {
      const done = await copied(text());
      made.focus();
      made.textContent = done ? "copied" : "not copied";
      announcement.textContent = done ? "copied" : "The browser does not let the page copy.";
      setTimeout(() => { made.textContent = name; announcement.textContent = ""; }, 2000);
    });
    return made;
  };

  const rows = (table) => [...table.rows].map((row) => [...row.cells]);
  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const csv = (table) => rows(table)
    .map((cells) => cells.map((cell) => quoted(cell.dataset.value ?? plain(cell.textContent))).join(",") + "\n")
    .join("");

  const markdown = (table) => {
    const [head, ...body] = rows(table);
    const line = (parts) => `| ${parts.join(" | ")} |\n`;
    const texts = (cells) => line(cells.map((cell) => plain(cell.textContent).replaceAll("|", "\\|")));
    const sides = head.map((cell, n) => (n === 0 || cell.classList.contains("left") ? "---" : "---:"));
    return texts(head) + line(sides) + body.map(texts).join("");
  };

  const title = (element) => {
    const above = [...document.querySelectorAll("h2")]
      .filter((h2) => h2.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING);
    return plain(above.at(-1)?.textContent ?? document.title);
  };

  for (const table of document.querySelectorAll(".scroll > table")) {
    const copies = document.createElement("div");
    const name = `the table “${plain(table.rows[0].cells[0].textContent) || title(table)}” of “${title(table)}”`;
    copies.className = "copies";
    copies.append(
      "Copy: ",
      button("CSV", `Copy ${name} as CSV`, () => csv(table)),
      button("Markdown", `Copy ${name} as Markdown`, () => markdown(table)),
    );
    table.parentNode.after(copies);
  }
  for (const command of document.querySelectorAll(".command")) {
    command.append(button("Copy", "Copy this command", () => command.querySelector("code").textContent));
  }
})();
