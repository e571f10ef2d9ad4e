/** Plural forms by the language's own rules (CLDR, by Intl). */
const rules = new Map<string, Intl.PluralRules>();

export interface Forms {
  one: string;
  other: string;
}

export function pluralIn(language: string) {
  return (count: number, forms: Forms): string => {
    // CLDR counts 0 as singular in Portuguese; people say "0 sinais".
    if (count === 0) return forms.other;
    let rule = rules.get(language);
    if (!rule) rules.set(language, (rule = new Intl.PluralRules(language)));
    return rule.select(count) === 'one' ? forms.one : forms.other;
  };
}
