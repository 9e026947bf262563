(function (options) {
  "use strict";

  // Set while a classic script runs, also a deferred one; afterwards nobody knows where it came from.
  var script = document.currentScript;
  if (!script || !script.src) return;
  var target = script.src;
  var texts = options.texts;

  function element(name, properties, children) {
    var made = document.createElement(name);
    Object.keys(properties).forEach(function (key) {
      if (key === "style") Object.assign(made.style, properties.style);
      else if (key in made) made[key] = properties[key];
      else made.setAttribute(key, properties[key]);
    });
    (children || []).forEach(function (child) {
      made.append(child);
    });
    return made;
  }

  var line = { display: "block", width: "100%", boxSizing: "border-box", margin: "4px 0 12px", padding: "8px", font: "inherit" };

  function field(name, label, tag, properties) {
    var id = "crash-page-" + name;
    var error = element("p", { id: id + "-error", style: { color: "#b3261e", margin: "-8px 0 12px" } });
    var input = element(tag, Object.assign({ id: id, name: name, required: true, style: line }, properties));
    input.setAttribute("aria-describedby", error.id);
    return { label: element("label", { htmlFor: id }, [label]), input: input, error: error };
  }

  var fields = {
    name: field("name", texts.labelName, "input", { type: "text", autocomplete: "name", maxLength: 128, value: options.name }),
    email: field("email", texts.labelEmail, "input", { type: "email", autocomplete: "email", maxLength: 75, value: options.email }),
    comments: field("comments", texts.labelComments, "textarea", { rows: 5 }),
  };

  var status = element("p", { role: "alert", style: { margin: "0 0 12px" } });
  var button = { padding: "8px 16px", font: "inherit", cursor: "pointer", marginRight: "8px" };
  var submit = element("button", { type: "submit", style: button }, [texts.labelSubmit]);
  var close = element("button", { type: "button", style: button }, [texts.labelClose]);
  var form = element("form", { noValidate: true }, [status]);
  Object.keys(fields).forEach(function (name) {
    form.append(fields[name].label, fields[name].input, fields[name].error);
  });
  form.append(submit, close);

  var title = element("h2", { id: "crash-page-title", style: { margin: "0 0 8px", fontSize: "20px", fontWeight: "600" } }, [texts.title]);
  var intro = element("p", { style: { margin: "0 0 16px" } }, [texts.subtitle + " " + texts.subtitle2]);
  var dialog = element(
    "dialog",
    {
      "aria-labelledby": title.id,
      style: { width: "min(520px, 90vw)", padding: "24px", border: "1px solid #888", borderRadius: "8px", font: "16px/1.4 system-ui, sans-serif", color: "#1b1b1f", background: "#fff" },
    },
    [title, intro, form],
  );

  function show(errors) {
    Object.keys(fields).forEach(function (name) {
      var messages = errors[name] || [];
      fields[name].error.textContent = messages.join(" ");
      fields[name].input.setAttribute("aria-invalid", String(messages.length > 0));
    });
  }

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    submit.disabled = true;
    status.textContent = "";
    show({});
    var body = new URLSearchParams();
    Object.keys(fields).forEach(function (name) {
      body.append(name, fields[name].input.value);
    });
    fetch(target, { method: "POST", body: body, credentials: "omit" })
      .then(function (answer) {
        return answer.json().then(function (json) {
          if (answer.ok) {
            form.replaceChildren(status, close);
            status.textContent = texts.successMessage;
            close.focus();
          } else if (json.errors) {
            status.textContent = texts.errorFormEntry;
            show(json.errors);
          } else {
            status.textContent = texts.errorGeneric;
          }
        });
      })
      .catch(function () {
        status.textContent = texts.errorGeneric;
      })
      .then(function () {
        submit.disabled = false;
      });
  });

  close.addEventListener("click", function () {
    dialog.close();
  });
  dialog.addEventListener("close", function () {
    dialog.remove();
    // What browser SDKs wait for to call back the page.
    window.postMessage("__sentry_reportdialog_closed__", "*");
  });

  document.body.append(dialog);
  dialog.showModal();
})(__OPTIONS__);
