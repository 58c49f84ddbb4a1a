"use strict";
(() => {
	const period = 2000, maxRows = 100;
	const $ = (id) => document.getElementById(id);
	const root = document.documentElement;
	let snapshot = null, paused = false, timer = 0, groupedBy = "", hour = false;

	const { trimmed, withCommas, milli } = format;
	const shown = (kind, value) => format.shown(kind, value, Date.parse(snapshot.time));
	const at = (row, path) => path.split(".").reduce((node, step) => (node === null || node === undefined ? undefined : node[step]), row);
	const set = (node, text) => { if (node.textContent !== text) node.textContent = text; };
	const make = (tag, className, text) => {
		const node = document.createElement(tag);
		if (className) node.className = className;
		if (text) node.textContent = text;
		return node;
	};
	const draw = (tag, attributes) => {
		const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
		for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
		return node;
	};

	// Tables: one view for each, which keeps the rows that stay, so that focus and open explanations stay as well.
	const textual = (kind) => kind === "text" || kind === "code" || kind === "list" || kind === "within";
	const comparable = (kind, value) => {
		if (kind === "range") return value ? value.max : -1;
		if (kind === "ago") return Date.parse(value);
		if (kind === "list") return (value || []).join(", ");
		return value === null || value === undefined ? "" : value;
	};
	const compare = (a, b) => {
		if (typeof a === "number" && typeof b === "number") return a - b;
		return String(a).localeCompare(String(b), "en");
	};

	function tableView(table) {
		const heads = [...table.tHead.rows[0].cells];
		const columns = heads.map((th) => ({ key: th.dataset.key, kind: th.dataset.kind, numeric: th.classList.contains("num") }));
		const explains = "explains" in table.dataset;
		const body = table.tBodies[0];
		const more = table.closest("section").querySelector(".more");
		const start = heads.findIndex((th) => th.hasAttribute("aria-sort"));
		let sort = { column: start, descending: true };
		let known = new Map();
		body.replaceChildren();

		heads.forEach((th, i) => {
			const button = make("button", "", th.textContent);
			button.type = "button";
			th.replaceChildren(button);
			button.addEventListener("click", () => {
				// Numbers are asked for from the top, names from A.
				const descending = sort.column === i ? !sort.descending : !textual(columns[i].kind);
				sort = { column: i, descending };
				heads.forEach((other, j) => {
					if (j === i) other.setAttribute("aria-sort", descending ? "descending" : "ascending");
					else other.removeAttribute("aria-sort");
				});
				render();
			});
		});

		const identity = (row) => JSON.stringify(columns.filter((c) => !c.key.includes(".") && (c.kind === "text" || c.kind === "code" || c.key === "seconds")).map((c) => row[c.key]));

		function newRow() {
			const tr = make("tr");
			columns.forEach((c, i) => {
				const cell = make(i === 0 ? "th" : "td", (i === 0 ? "" : c.kind) + (c.numeric ? " num" : ""));
				if (i === 0) cell.scope = "row";
				if (c.kind === "share") {
					const bar = draw("svg", { class: "bar", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" });
					bar.append(draw("rect", { width: 100, height: 6, class: "rail" }), draw("rect", { width: 0, height: 6 }));
					cell.append(bar, document.createTextNode(""));
				}
				tr.append(cell);
			});
			if (!explains) return { tr };
			const extra = make("tr", "explain"), cell = make("td"), details = make("details"), pre = make("pre");
			cell.colSpan = columns.length;
			details.append(make("summary", "", "Explanation"), pre);
			cell.append(details);
			extra.append(cell);
			return { tr, extra, pre };
		}

		function fill(parts, row) {
			columns.forEach((c, i) => {
				const cell = parts.tr.cells[i], value = at(row, c.key), text = shown(c.kind, value);
				if (c.kind === "share") {
					const known = typeof value === "number";
					cell.firstChild.toggleAttribute("hidden", !known);
					cell.firstChild.lastChild.setAttribute("width", known ? trimmed(Math.min(100, 100 * value), 1) : 0);
					if (cell.lastChild.data !== text) cell.lastChild.data = text;
					return;
				}
				set(cell, text);
				cell.toggleAttribute("data-bad", c.kind === "within" && value === false);
			});
			if (parts.pre) set(parts.pre, row.call.explain);
		}

		function render() {
			let rows = snapshot[table.id];
			const section = table.closest("section");
			if ("optional" in section.dataset) section.hidden = rows.length === 0;
			if (table.id === "units") rows = sums(rows);
			if (sort.column >= 0) {
				const { key, kind } = columns[sort.column], sign = sort.descending ? -1 : 1;
				rows = rows.map((row) => [comparable(kind, at(row, key)), row]).sort((a, b) => sign * compare(a[0], b[0])).map((pair) => pair[1]);
			}
			const next = new Map(), order = [];
			for (const row of rows.slice(0, maxRows)) {
				let id = identity(row);
				while (next.has(id)) id += "+"; // two calls of one name at a time
				const parts = known.get(id) || newRow();
				fill(parts, row);
				next.set(id, parts);
				order.push(parts.tr);
				if (parts.extra) order.push(parts.extra);
			}
			if (order.length === 0) {
				const tr = make("tr", "none"), cell = make("td", "", "None so far.");
				cell.colSpan = columns.length;
				tr.append(cell);
				order.push(tr);
			}
			for (const tr of [...body.rows]) if (!order.includes(tr)) tr.remove();
			order.forEach((tr, i) => { if (body.rows[i] !== tr) body.insertBefore(tr, body.rows[i] || null); });
			known = next;
			more.hidden = rows.length <= maxRows;
			set(more, maxRows + " of " + withCommas(rows.length) + " rows; all are in the JSON.");
		}
		return render;
	}

	// Units can be summed up by one of the names that they are counted by.
	const groupings = { "": "All", table: "Table", index: "Index", operation: "Operation", label: "Label" };

	function sums(rows) {
		if (!groupedBy) return rows;
		const keep = groupedBy === "index" ? ["table", "index"] : [groupedBy], all = new Map();
		for (const row of rows) {
			const id = JSON.stringify(keep.map((key) => row[key]));
			let sum = all.get(id);
			if (!sum) {
				sum = { table: "all", index: "all", operation: "all", label: "all", operations: 0, readUnits: 0, writeUnits: 0, units: 0, share: 0, cost: 0 };
				for (const key of keep) sum[key] = row[key];
				all.set(id, sum);
			}
			for (const key of ["operations", "readUnits", "writeUnits", "units", "share", "cost"]) sum[key] += row[key];
		}
		return [...all.values()];
	}

	function groupButtons(render) {
		const group = $("groups");
		for (const [by, title] of Object.entries(groupings)) {
			const button = make("button", "", title);
			button.type = "button";
			button.setAttribute("aria-pressed", String(by === groupedBy));
			button.addEventListener("click", () => {
				groupedBy = by;
				for (const other of group.children) other.setAttribute("aria-pressed", String(other === button));
				render();
			});
			group.append(button);
		}
		group.hidden = false;
	}

	// Charts: lines over the last five minutes or the last hour, from the start of the recording on, and the values under the pointer.
	const niceTop = (most) => {
		if (most <= 0) return 1;
		const power = 10 ** Math.floor(Math.log10(most));
		return [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map((f) => trimmed(f * power, 6)).find((top) => top >= most) || most;
	};
	const seconds = (text) => Date.parse(text) / 1000;

	// Points of a chart: times in seconds, and for each key a value or null.
	function pointsOf(keys, steps) {
		const { rates, history } = snapshot, end = seconds(rates.end), since = Math.floor(seconds(snapshot.since));
		const points = { begin: Math.max(end - (hour ? 3600 : 300), Math.min(since, end - 10)), end, times: [], values: keys.map(() => []) };
		const push = (time, value) => {
			points.times.push(time);
			keys.forEach((key, k) => points.values[k].push(value(key)));
		};
		if (hour || steps) {
			const start = seconds(history.start), n = history.calls.length - (steps ? 0 : 1); // the last step is not complete
			for (let i = 0; i < n; i++) {
				const from = start + i * history.seconds, time = Math.min(from + history.seconds / 2, end);
				if (from + history.seconds <= points.begin) continue;
				const known = Math.min(history.seconds, from + history.seconds - since); // the first step may be short
				push(Math.max(time, points.begin), (key) => (steps ? (history.calls[i] > 0 ? history[key][i] : null) : history[key][i] / Math.max(1, known)));
			}
			return points;
		}
		rates[keys[0]].forEach((_, i) => {
			const time = end - rates[keys[0]].length + 1 + i;
			if (time > points.begin) push(time, (key) => rates[key][i]);
		});
		return points;
	}

	function chartView(box) {
		const keys = box.dataset.chart.split(" "), steps = "steps" in box.dataset, legend = [...box.querySelectorAll("li b")];
		const svg = draw("svg", { role: "img" });
		let pointer = -1, points = null;
		box.append(svg);
		const left = 52, right = 4, top = 8, bottom = 22, height = 170;
		const text = (value) => (value === null || value === undefined ? "\u2013" : steps ? milli(value) : withCommas(trimmed(value, 1)));

		function render() {
			const width = box.clientWidth - 36;
			if (width <= 0) return;
			points = pointsOf(keys, steps);
			const { times, values, begin, end } = points, n = times.length, span = Math.max(1, end - begin);
			const peak = Math.max(0, ...values.flat().filter((value) => value !== null)), most = niceTop(peak);
			const x = (time) => left + ((width - left - right) * (time - begin)) / span;
			const y = (value) => top + (height - top - bottom) * (1 - value / most);
			const nodes = [];
			for (const part of [0, 0.5, 1]) {
				nodes.push(draw("line", { class: "grid", x1: left, x2: width - right, y1: y(part * most), y2: y(part * most) }));
				const label = draw("text", { x: left - 8, y: y(part * most) + 4, "text-anchor": "end" });
				label.textContent = withCommas(trimmed(part * most, 3));
				nodes.push(label);
			}
			const tick = [5, 10, 30, 60, 300, 600, 900].find((unit) => span / unit <= 6) || 900;
			for (let back = 0; back <= span; back += tick) {
				const label = draw("text", { x: x(end - back), y: height - 5, "text-anchor": back === 0 ? "end" : back === span ? "start" : "middle" });
				label.textContent = back === 0 ? "now" : "\u2212" + (tick < 60 ? back + " s" : back / 60 + " min");
				nodes.push(label);
			}
			keys.forEach((key, k) => {
				let line = "", drawn = false;
				values[k].forEach((value, i) => {
					if (value === null) { drawn = false; return; }
					const place = x(times[i]).toFixed(1) + " " + y(value).toFixed(1);
					line += drawn ? "L" + place : "M" + place + "h0";
					drawn = true;
				});
				const series = draw("g", { class: "series " + "abc"[k] });
				if (k < 2 && !steps && n > 0) {
					series.append(draw("path", { class: "area", d: line + "L" + x(times[n - 1]).toFixed(1) + " " + y(0) + "L" + x(times[0]).toFixed(1) + " " + y(0) + "Z" }));
				}
				series.append(draw("path", { class: "line", d: line }));
				nodes.push(series);
			});
			let shownAt = n - 1; // or the last that there is a value of
			while (shownAt > 0 && values[0][shownAt] === null) shownAt--;
			const latest = shownAt;
			if (pointer >= 0 && n > 0) {
				const time = begin + ((pointer - left) / (width - left - right)) * span;
				shownAt = times.reduce((best, t, i) => (Math.abs(t - time) < Math.abs(times[best] - time) ? i : best), 0);
				nodes.push(draw("line", { class: "cursor", x1: x(times[shownAt]), x2: x(times[shownAt]), y1: top, y2: height - bottom }));
			}
			svg.setAttribute("viewBox", "0 0 " + width + " " + height);
			svg.replaceChildren(...nodes);
			keys.forEach((key, k) => set(legend[k], text(values[k][shownAt])));
			svg.setAttribute("aria-label", box.querySelector("h2").textContent + (hour ? ", last hour: " : ", last five minutes: ") + keys.map((key, k) =>
				legend[k].parentNode.firstChild.data.trim() + " " + text(values[k][latest]) + " now, " + text(Math.max(0, ...values[k])) + " at most").join("; "));
			svg.dataset.points = n;
			svg.dataset.top = most;
			svg.dataset.begin = begin;
		}
		svg.addEventListener("pointermove", (event) => {
			if (!snapshot) return;
			pointer = Math.max(0, event.clientX - svg.getBoundingClientRect().left);
			render();
		});
		svg.addEventListener("pointerleave", () => { pointer = -1; if (snapshot) render(); });
		new ResizeObserver(() => { if (snapshot) render(); }).observe(box);
		return render;
	}

	function rangeButtons(charts) {
		for (const [isHour, title] of [[false, "5 minutes"], [true, "1 hour"]]) {
			const button = make("button", "", title);
			button.type = "button";
			button.setAttribute("aria-pressed", String(isHour === hour));
			button.addEventListener("click", () => {
				hour = isHour;
				for (const other of $("range").children) other.setAttribute("aria-pressed", String(other === button));
				for (const render of charts) render();
			});
			$("range").append(button);
		}
	}

	// Filters: the server selects, so that the figures are the same with and without this script.
	const filters = [...$("filters").querySelectorAll("select")];
	const query = (format) => "?" + new URLSearchParams([...(format ? [["format", format]] : []), ...filters.filter((f) => f.value).map((f) => [f.name, f.value])]);

	function showChoices() {
		for (const select of filters) {
			const names = select.name === "table" ? snapshot.tables : snapshot.labels;
			for (const choice of names) {
				if ([...select.options].some((option) => option.value === choice)) continue;
				const after = [...select.options].find((option) => option.value && option.value > choice);
				select.add(new Option(choice, choice), after || null);
			}
		}
	}
	for (const select of filters) {
		select.addEventListener("change", () => {
			history.replaceState(null, "", location.pathname + query(""));
			$("json").href = query("json");
			poll(true);
		});
	}
	$("apply").hidden = true;

	// Following the program.
	const status = (state, text) => {
		$("status").dataset.state = state;
		set($("status"), text);
	};
	let renderings = null;

	function show() {
		if (!renderings) { // the server's tables stay until there is something to replace them
			const tables = [...document.querySelectorAll("main table")].map(tableView);
			$("charts").hidden = false;
			const charts = [...document.querySelectorAll("figure[data-chart]")].map(chartView);
			renderings = [...tables, ...charts];
			groupButtons(tables[0]);
			rangeButtons(charts);
		}
		for (const node of document.querySelectorAll("[data-path]")) {
			set(node, shown(node.dataset.kind, at(snapshot, node.dataset.path)));
		}
		showChoices();
		for (const render of renderings) render();
		root.dataset.at = snapshot.time;
	}

	let asked = 0;
	async function poll(changed) {
		clearTimeout(timer);
		if ((paused && changed !== true) || document.hidden) return;
		const turn = ++asked;
		try {
			const reply = await fetch(location.pathname + query("page"), { headers: { Accept: "application/json" }, cache: "no-store" });
			if (!reply.ok) throw new Error("status " + reply.status);
			const news = await reply.json();
			if (turn !== asked || (paused && changed !== true)) return;
			snapshot = news;
			show();
			if (!paused) status("live", "Live, updates every 2 s");
		} catch (error) {
			if (turn !== asked) return;
			status("lost", "Not updated (" + error.message + "); retrying");
		}
		clearTimeout(timer);
		if (!paused) timer = setTimeout(poll, period);
	}

	const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
	const markTheme = () => $("theme").setAttribute("aria-pressed", String(isDark()));
	const actions = {
		p: () => {
			paused = !paused;
			$("pause").setAttribute("aria-pressed", String(paused));
			if (paused) status("paused", "Paused");
			else poll();
		},
		t: () => {
			root.dataset.theme = isDark() ? "light" : "dark";
			try { localStorage.setItem("ddb-theme", root.dataset.theme); } catch { /* it lasts for this page */ }
			markTheme();
		},
	};
	try {
		const kept = localStorage.getItem("ddb-theme");
		if (kept === "light" || kept === "dark") root.dataset.theme = kept;
	} catch { /* without storage the system decides */ }
	$("pause").hidden = $("theme").hidden = false;
	$("pause").addEventListener("click", actions.p);
	$("theme").addEventListener("click", actions.t);
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", markTheme);
	document.addEventListener("keydown", (event) => {
		if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.target.closest("input, textarea, select")) return;
		if (actions[event.key]) actions[event.key]();
	});
	document.addEventListener("visibilitychange", poll);
	markTheme();
	poll();
})();
