import { describe, expect, it } from 'vitest';
import { parseInline, parseMarkdown, safeHref, toggleCheckbox, type Block, type Inline } from './parse';

function hrefs(nodes: (Block | Inline)[]): string[] {
  return nodes.flatMap((node): string[] => {
    const own = node.kind === 'link' ? [node.href] : [];
    const below = node.kind === 'list' ? node.items.flatMap((item) => hrefs(item.children)) : 'children' in node ? hrefs(node.children) : [];
    return [...own, ...below];
  });
}

describe('markdown', () => {
  it('parses blocks', () => {
    const kinds = parseMarkdown('# A\n\ntext\nmore\n\n- one\n- two\n\n1. first\n\n> said\n\n```go\nx := 1\n```\n---').map((block) => block.kind);
    expect(kinds).toEqual(['heading', 'paragraph', 'list', 'list', 'quote', 'code', 'rule']);
  });

  it('parses marks, mentions, keys and addresses', () => {
    expect(parseInline('**bold** and _soft_, `a*b`, @ada, WEB-12, https://example.org/a_b.')).toEqual([
      { kind: 'strong', children: [{ kind: 'text', text: 'bold' }] },
      { kind: 'text', text: ' and ' },
      { kind: 'em', children: [{ kind: 'text', text: 'soft' }] },
      { kind: 'text', text: ', ' },
      { kind: 'code', text: 'a*b' },
      { kind: 'text', text: ', ' },
      { kind: 'mention', handle: 'ada' },
      { kind: 'text', text: ', ' },
      { kind: 'task', key: 'WEB-12' },
      { kind: 'text', text: ', ' },
      { kind: 'link', href: 'https://example.org/a_b', external: true, children: [{ kind: 'text', text: 'https://example.org/a_b' }] },
      { kind: 'text', text: '.' },
    ]);
  });

  it('leaves snake_case and lone marks alone', () => {
    expect(parseInline('a_snake_case 2 * 3 * 4 **')).toEqual([{ kind: 'text', text: 'a_snake_case 2 * 3 * 4 **' }]);
  });

  it('nests lists with checkboxes and knows their lines', () => {
    const [list] = parseMarkdown('- [ ] a\n  - [x] b\n- [X] c');
    expect(list).toMatchObject({ kind: 'list', items: [{ checked: false, line: 0 }, { checked: true, line: 2 }] });
    expect((list as Extract<Block, { kind: 'list' }>).items[0]!.children[1]).toMatchObject({ kind: 'list', items: [{ checked: true, line: 1 }] });
  });

  it('turns one checkbox and nothing else', () => {
    const source = '- [ ] a\n- [x] b\n\n[ ] c';
    expect(toggleCheckbox(source, 0)).toBe('- [x] a\n- [x] b\n\n[ ] c');
    expect(toggleCheckbox(source, 1)).toBe('- [ ] a\n- [ ] b\n\n[ ] c');
    expect(toggleCheckbox(source, 3)).toBe(source);
    expect(toggleCheckbox(source, 99)).toContain('[ ] c');
  });
});

describe('hostile markdown', () => {
  it.each([
    'javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'java\tscript:alert(1)', '\u0001javascript:alert(1)', 'data:text/html,<script>', 'vbscript:x', '//evil.example', '/\\evil.example', 'file:///etc/passwd', 'blob:x', '&#106;avascript:alert(1)',
  ])('makes no link of %j', (address) => {
    expect(safeHref(address)).toBeNull();
    expect(hrefs(parseMarkdown(`[click](${address}) [x](<${address}>)`))).toEqual([]);
  });

  it.each(['https://example.org', 'http://a.b/c?d#e', 'mailto:a@b.c', '/t/WEB-1'])('links %s', (address) => {
    expect(hrefs(parseMarkdown(`[click](${address})`))).toEqual([address]);
  });

  it('keeps markup as text', () => {
    const [paragraph] = parseMarkdown('<img src=x onerror=alert(1)> <script>alert(1)</script>');
    expect(paragraph).toEqual({ kind: 'paragraph', children: [{ kind: 'text', text: '<img src=x onerror=alert(1)> <script>alert(1)</script>' }] });
  });

  it.each([['*', '**'.repeat(20_000)], ['[', '['.repeat(40_000)], ['`', '`a'.repeat(20_000)], ['>', '>'.repeat(10_000)], ['- ', '- '.repeat(10_000)], ['_', '_a '.repeat(15_000)]])('ends soon on many %j', (_, source) => {
    expect(parseMarkdown(source).length).toBeGreaterThan(0);
  });
});
