import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { de as mainDe } from './de';
import { de as diagnosticsDe } from './diagnostics.de';
import { en as diagnosticsEn } from './diagnostics.en';
import { en as mainEn } from './en';
import { argumentsOf, format, parse } from './format';

const source = new URL('..', import.meta.url).pathname;

type Catalogue = Readonly<Record<string, string>>;

describe.each([
  ['of every screen', mainEn as Catalogue, mainDe as Catalogue],
  ['of traces and operations', diagnosticsEn as Catalogue, diagnosticsDe as Catalogue],
])('catalogues %s', (_, en, de) => {
  const keys = Object.keys(en);

  it('have the same keys', () => {
    expect(Object.keys(de).sort()).toEqual([...keys].sort());
  });

  it.each(keys)('%s takes the same arguments in both languages and parses', (key) => {
    expect(argumentsOf(de[key]!)).toEqual(argumentsOf(en[key]!));
    parse(en[key]!);
    expect(de[key]!.trim()).not.toBe('');
  });

  it('hold nothing that is not used', () => {
    const texts = readdirSync(source, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(svelte|ts)$/.test(name) && !/^i18n\/(de|en|diagnostics\.)/.test(name))
      .map((name) => readFileSync(join(source, name), 'utf8'))
      .join('\n');
    // Keys made at run time, such as `field.${name}`, are used by their prefix.
    const prefixes = [...texts.matchAll(/`([a-zA-Z.]+\.)\$\{/g)].map((match) => match[1]!);
    const unused = keys.filter((key) => !texts.includes(`'${key}'`) && !prefixes.some((prefix) => key.startsWith(prefix)));
    expect(unused).toEqual([]);
  });
});

describe('format', () => {
  it('chooses plurals by the rules of the language', () => {
    const message = '{n, plural, =0 {none} one {# task} other {# tasks}}';
    expect(format(message, { n: 0 }, 'en')).toBe('none');
    expect(format(message, { n: 1 }, 'en')).toBe('1 task');
    expect(format(message, { n: 1200 }, 'en')).toBe('1,200 tasks');
    expect(format(message, { n: 1200 }, 'de')).toBe('1.200 tasks');
  });

  it('shows what is missing', () => {
    expect(format('Hello {name}', {}, 'en')).toBe('Hello {name}');
  });

  it.each(['{', '{n, plural, one {x}}', 'a } b', '{n, date}'])('refuses %j', (message) => {
    expect(() => parse(message)).toThrow();
  });
});
