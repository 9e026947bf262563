import { describe, expect, it } from "vitest";
import { filters, kindOf, tagToken, tokens, viewOf, withKind, without, withView } from "./issueQuery";

describe("tokens", () => {
  it("splits at blanks, but not inside quotes and lists", () => {
    expect(tokens('is:unresolved user.name:"Jane \\" Doe" level:[error, fatal]  card declined')).toEqual([
      "is:unresolved",
      'user.name:"Jane \\" Doe"',
      "level:[error, fatal]",
      "card",
      "declined",
    ]);
    expect(tokens("")).toEqual([]);
    expect(tokens('open:"never closed')).toEqual(['open:"never closed']);
  });
});

describe("views", () => {
  it("are read from the status tokens alone", () => {
    expect(viewOf("is:unresolved")).toBe("unresolved");
    expect(viewOf("is:for_review card is:unresolved")).toBe("review");
    expect(viewOf("is:ignored")).toBe("archived");
    expect(viewOf("")).toBe("all");
    expect(viewOf("is:resolved is:unresolved")).toBeNull();
    expect(viewOf("is:assigned")).toBe("all");
  });

  it("change without losing the rest of the search", () => {
    expect(withView('is:unresolved level:error "a b"', "archived")).toBe('is:archived level:error "a b"');
    expect(withView("is:resolved is:assigned", "all")).toBe("is:assigned");
  });
});

describe("filters", () => {
  it("are what narrows a view, each removable", () => {
    expect(filters("is:unresolved level:error card")).toEqual(["level:error", "card"]);
    expect(without("is:unresolved level:error card", "level:error")).toBe("is:unresolved card");
  });
});

describe("tagToken", () => {
  it("takes blanks, quotes and stars of a value literally", () => {
    expect(tagToken("os", "macOS")).toBe("os:macOS");
    expect(tagToken("browser", "Chrome 136")).toBe('browser:"Chrome 136"');
    expect(tagToken("browser.name", "Firefox")).toBe("browser.name:Firefox");
    expect(tagToken("team", "payments")).toBe("tags[team]:payments");
    expect(tagToken("note", 'a "b" *')).toBe('note:"a \\"b\\" \\*"');
    expect(tagToken("firstSeen", "x")).toBe("tags[firstSeen]:x");
    expect(tagToken("a b", "x")).toBe("tags[a b]:x");
    expect(tagToken("url", "https://a.example/?x=[1]")).toBe('url:"https://a.example/?x=[1]"');
  });
});

describe("types and categories", () => {
  it("are one token of the search, exchanged by the menu", () => {
    const query = 'is:unresolved issue.type:error user.name:"issue.type:x"';
    expect(kindOf(query)).toBe("issue.type:error");
    expect(withKind(query, "issue.category:outage")).toBe(
      'is:unresolved user.name:"issue.type:x" issue.category:outage',
    );
    expect(kindOf(withKind(query, null))).toBeNull();
    expect(kindOf("!issue.type:error")).toBeNull();
  });
});
