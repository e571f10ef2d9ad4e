#include "words.h"

#include <stddef.h>
#include <string.h>

#include "base/compiler.h"
#include "lex.h"

#define LONGEST_WORD 11 /* letters, of the first word of an entry */

/*
 * Folded (no accents, capitals), in ASCII order; a test checks the order. A space stands for spaces or one
 * hyphen in the text; a joined spelling is an entry of its own. To teach the parser a word, add its line;
 * nothing else.
 */
static const struct word {
    const char *text;
    unsigned roles;
} words[] = {
    {"A", WORD_FILLER | WORD_LINK | WORD_TO},
    {"ABAIXO", WORD_FILLER},
    {"ACAO", WORD_ASSET | WORD_UNIT},
    {"ACIMA", WORD_FILLER},
    {"ACOES", WORD_UNIT},
    {"ALVO", WORD_TARGET | WORD_NEVER_ASSET},
    {"ALVOS", WORD_TARGET | WORD_NEVER_ASSET},
    {"ATE", WORD_FILLER | WORD_TO},
    {"ATINGIDA", WORD_UPDATE},
    {"ATINGIDAS", WORD_UPDATE},
    {"ATINGIDO", WORD_UPDATE},
    {"ATINGIDOS", WORD_UPDATE},
    {"ATINGIU", WORD_UPDATE},
    {"ATIVA", WORD_ASSET},
    {"ATIVO", WORD_ASSET | WORD_FILLER},
    {"BATEU", WORD_UPDATE},
    {"BATIDA", WORD_UPDATE},
    {"BATIDAS", WORD_UPDATE},
    {"BATIDO", WORD_UPDATE},
    {"BATIDOS", WORD_UPDATE},
    {"BUY", WORD_BUY},
    {"CANCELADA", WORD_UPDATE},
    {"CANCELADAS", WORD_UPDATE},
    {"CANCELADO", WORD_UPDATE},
    {"CANCELADOS", WORD_UPDATE},
    {"COMPRA", WORD_BUY | WORD_FILLER | WORD_NEVER_ASSET},
    {"COMPRAR", WORD_BUY},
    {"COMPRE", WORD_BUY},
    {"CONTRATO", WORD_UNIT},
    {"CONTRATOS", WORD_UNIT},
    {"DA", WORD_FILLER},
    {"DATA", WORD_NEVER_ASSET},
    {"DAY TRADE", WORD_DAY},
    {"DAYTRADE", WORD_DAY},
    {"DE", WORD_FILLER | WORD_LINK | WORD_OF},
    {"DO", WORD_FILLER},
    {"E", WORD_TO | WORD_AND},
    {"EM", WORD_FILLER | WORD_LINK},
    {"ENCERRADA", WORD_UPDATE},
    {"ENCERRADAS", WORD_UPDATE},
    {"ENCERRADO", WORD_UPDATE},
    {"ENCERRADOS", WORD_UPDATE},
    {"ENTRADA", WORD_ENTRY | WORD_FILLER},
    {"ENTRE", WORD_FILLER},
    {"ENTRY", WORD_ENTRY},
    {"FAIXA", WORD_FILLER},
    {"FASE", WORD_NEVER_ASSET},
    {"FINAL", WORD_FINAL},
    {"GERAL", WORD_FINAL},
    {"GRUPO", WORD_NEVER_ASSET},
    {"LOTE", WORD_UNIT | WORD_NEVER_ASSET},
    {"LOTES", WORD_UNIT},
    {"MAX", WORD_TO},
    {"MERCADO", WORD_FILLER},
    {"META", WORD_NEVER_ASSET},
    {"METAS", WORD_NEVER_ASSET},
    {"MIN", WORD_FILLER},
    {"NA", WORD_FILLER | WORD_LINK},
    {"NIVEL", WORD_NEVER_ASSET},
    {"NO", WORD_FILLER | WORD_LINK},
    {"OPCOES", WORD_UNIT},
    {"PAPEL", WORD_ASSET | WORD_FILLER},
    {"PARTE", WORD_NEVER_ASSET},
    {"POSITION", WORD_POSITION},
    {"PRECO", WORD_ENTRY | WORD_FILLER},
    {"SCALP", WORD_SCALP},
    {"SCALPING", WORD_SCALP},
    {"SELL", WORD_SELL},
    {"SL", WORD_STOP},
    {"STOP", WORD_STOP | WORD_NEVER_ASSET},
    {"STOP GAIN", WORD_TARGET},
    {"STOP LOSS", WORD_STOP},
    {"STOPADA", WORD_UPDATE},
    {"STOPADAS", WORD_UPDATE},
    {"STOPADO", WORD_UPDATE},
    {"STOPADOS", WORD_UPDATE},
    {"STOPGAIN", WORD_TARGET},
    {"STOPLOSS", WORD_STOP},
    {"STOPOU", WORD_UPDATE},
    {"SWING", WORD_SWING},
    {"TAKE PROFIT", WORD_TARGET},
    {"TAKE PROFITS", WORD_TARGET},
    {"TAKEPROFIT", WORD_TARGET},
    {"TAKEPROFITS", WORD_TARGET},
    {"TARGET", WORD_TARGET | WORD_NEVER_ASSET},
    {"TARGETS", WORD_TARGET},
    {"TICKER", WORD_ASSET | WORD_FILLER},
    {"TP", WORD_TARGET},
    {"TPS", WORD_TARGET},
    {"UNIDADES", WORD_UNIT},
    {"VENDA", WORD_SELL | WORD_FILLER | WORD_NEVER_ASSET},
    {"VENDE", WORD_SELL},
    {"VENDER", WORD_SELL},
    {"ZERADA", WORD_UPDATE},
    {"ZERADAS", WORD_UPDATE},
    {"ZERADO", WORD_UPDATE},
    {"ZERADOS", WORD_UPDATE},
    {"ZONA", WORD_FILLER},
};

/* Order of an entry against the letters [key, key + n): an entry that goes on after them comes later. */
static int compare(const char *entry, const char *key, size_t n)
{
    int order = strncmp(entry, key, n);

    return order != 0 ? order : entry[n] != '\0';
}

static size_t lower_bound(const char *key, size_t n)
{
    size_t low = 0, high = TS_ARRAY_LEN(words);

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare(words[middle].text, key, n) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The word at `p`, its letters only; 0 if they are too many for the dictionary. */
static size_t count_letters(const char *p)
{
    size_t n = 0;

    while (n <= LONGEST_WORD && lex_is_letter(p[n]))
        n++;
    return n <= LONGEST_WORD ? n : 0;
}

/* What is left of an entry's roles when its text ends at `end`: nothing inside a longer word, only TARGET
 * before a digit. */
static unsigned roles_before(unsigned roles, const char *end)
{
    if (lex_is_letter(*end))
        return 0;
    return lex_is_digit(*end) ? roles & WORD_TARGET : roles;
}

/* The end of the second word of an entry, after spaces or a hyphen; NULL if it does not stand at `p`. */
static const char *second_word(const char *p, const char *second)
{
    const char *q = *p == '-' ? p + 1 : lex_spaces(p);

    if (q == p)
        return NULL;
    while (*second != '\0') {
        if (*q++ != *second++)
            return NULL;
    }
    return q;
}

unsigned words_lookup(const char *p, const char **ret_end)
{
    size_t n = count_letters(p);
    unsigned found = 0;

    if (n == 0)
        return 0;

    for (size_t i = lower_bound(p, n); i < TS_ARRAY_LEN(words) && strncmp(words[i].text, p, n) == 0; i++) {
        const char *end = p + n;
        unsigned roles;

        if (words[i].text[n] == ' ')
            end = second_word(end, words[i].text + n + 1);
        else if (words[i].text[n] != '\0')
            break;
        roles = end ? roles_before(words[i].roles, end) : 0;
        if (roles != 0) {
            found = roles;
            *ret_end = end;
        }
    }
    return found;
}

bool words_never_asset(const char *p)
{
    size_t n = count_letters(p);
    size_t i;

    if (n == 0)
        return false;
    i = lower_bound(p, n);
    return i < TS_ARRAY_LEN(words) && compare(words[i].text, p, n) == 0 &&
           (words[i].roles & WORD_NEVER_ASSET);
}

const char *words_entry(size_t i)
{
    return i < TS_ARRAY_LEN(words) ? words[i].text : NULL;
}
