#include "fold.h"

#include <string.h>

#include "base/error.h"

#define DROPPED '\0'

/*
 * The characters whose canonical decomposition begins with an ASCII character, in the shape of the Unicode
 * charts: sixteen a row, the row's number is the code point / 16, a space where there is none. Made from the
 * Unicode Character Database.
 */
static const struct row {
    uint16_t number;
    char base[17];
} rows[] = {
    {0x00c, "AAAAAA CEEEEIIII"}, {0x00d, " NOOOOO  UUUUY  "}, {0x00e, "AAAAAA CEEEEIIII"},
    {0x00f, " NOOOOO  UUUUY Y"}, {0x010, "AAAAAACCCCCCCCDD"}, {0x011, "  EEEEEEEEEEGGGG"},
    {0x012, "GGGGHH  IIIIIIII"}, {0x013, "I   JJKK LLLLLL "}, {0x014, "   NNNNNN   OOOO"},
    {0x015, "OO  RRRRRRSSSSSS"}, {0x016, "SSTTTT  UUUUUUUU"}, {0x017, "UUUUWWYYYZZZZZZ "},
    {0x01a, "OO             U"}, {0x01b, "U               "}, {0x01c, "             AAI"},
    {0x01d, "IOOUUUUUUUUUU AA"}, {0x01e, "AA    GGKKOOOO  "}, {0x01f, "J   GG  NNAA    "},
    {0x020, "AAAAEEEEIIIIOOOO"}, {0x021, "RRRRUUUUSSTT  HH"}, {0x022, "      AAEEOOOOOO"},
    {0x023, "OOYY            "}, {0x037, "              ; "}, {0x1e0, "AABBBBBBCCDDDDDD"},
    {0x1e1, "DDDDEEEEEEEEEEFF"}, {0x1e2, "GGHHHHHHHHHHIIII"}, {0x1e3, "KKKKKKLLLLLLLLMM"},
    {0x1e4, "MMMMNNNNNNNNOOOO"}, {0x1e5, "OOOOPPPPRRRRRRRR"}, {0x1e6, "SSSSSSSSSSTTTTTT"},
    {0x1e7, "TTUUUUUUUUUUVVVV"}, {0x1e8, "WWWWWWWWWWXXXXYY"}, {0x1e9, "ZZZZZZHTWY      "},
    {0x1ea, "AAAAAAAAAAAAAAAA"}, {0x1eb, "AAAAAAAAEEEEEEEE"}, {0x1ec, "EEEEEEEEIIIIOOOO"},
    {0x1ed, "OOOOOOOOOOOOOOOO"}, {0x1ee, "OOOOUUUUUUUUUUUU"}, {0x1ef, "UUYYYYYYYY      "},
    {0x1fe, "               `"}, {0x212, "          KA    "}, {0x226, "=             <>"},
};

#define LAST_ROW (TS_ARRAY_LEN(rows) - 1)

static char fold_ascii(uint32_t c)
{
    switch (c) {
    case '*':
    case '_':
    case '~':
    case '`':
        return DROPPED;
    case '\r':
    case '\n':
        return '\n';
    default:
        if (c < 32 || c > 126)
            return ' ';
        return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
}

static char base_of(uint32_t c)
{
    uint32_t number = c >> 4;
    size_t low = 0, high = TS_ARRAY_LEN(rows);

    if (number > rows[LAST_ROW].number)
        return ' '; /* emoji end here */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (rows[middle].number == number)
            return rows[middle].base[c & 15];
        if (rows[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return ' ';
}

static bool is_invisible(uint32_t c)
{
    return (c >= 0x0300 && c <= 0x036f)     /* combining marks */
           || (c >= 0x200b && c <= 0x200d)  /* zero-width space, non-joiner, joiner */
           || c == 0x2060 || c == 0xfeff    /* word joiner, byte order mark */
           || (c >= 0xfe0e && c <= 0xfe0f); /* variation selectors */
}

static char fold_char(uint32_t c)
{
    if (c < 0x80)
        return fold_ascii(c);
    if (is_invisible(c))
        return DROPPED;
    if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212)
        return '-';
    if (c == 0xff1a)
        return ':';
    return fold_ascii((unsigned char)base_of(c)); /* one of them, U+1FEF, is a backquote */
}

/* Length in bytes that a lead byte announces, 1 for a byte that can't lead; *ret_bits are its payload bits.
 */
static size_t announced(unsigned char lead, uint32_t *ret_bits)
{
    if (lead >= 0xc2 && lead <= 0xdf) {
        *ret_bits = lead & 0x1f;
        return 2;
    }
    if (lead >= 0xe0 && lead <= 0xef) {
        *ret_bits = lead & 0x0f;
        return 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        *ret_bits = lead & 0x07;
        return 4;
    }
    *ret_bits = lead < 0x80 ? lead : 0;
    return 1;
}

/* Reads one character and returns its length; what is not valid UTF-8 is one byte long and reads as NUL. */
static size_t decode(const char *text, size_t left, uint32_t *ret)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t c;
    size_t len = announced((unsigned char)text[0], &c);

    *ret = 0;
    if (len > left)
        return 1;
    for (size_t i = 1; i < len; i++) {
        unsigned char next = (unsigned char)text[i];
        if ((next & 0xc0) != 0x80)
            return 1;
        c = (c << 6) | (next & 0x3f);
    }
    if (c < smallest[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 1;
    *ret = c;
    return len;
}

static bool is_crlf(const char *text, size_t left)
{
    return left > 1 && text[0] == '\r' && text[1] == '\n';
}

int fold(ts_str text, struct folded *ret)
{
    size_t at = 0, n = 0;

    if (text.len > FOLD_TEXT_MAX)
        return TS_E_TOO_LONG;

    while (at < text.len) {
        uint32_t c;
        size_t len = decode(text.ptr + at, text.len - at, &c);
        char folded = is_crlf(text.ptr + at, text.len - at) ? DROPPED : fold_char(c);

        if (folded != DROPPED) {
            ret->text[n] = folded;
            ret->origin[n++] = (uint16_t)at;
        }
        at += len;
    }
    ret->text[n] = '\n';
    ret->len = n;
    ret->original = text;
    return 0;
}

size_t fold_text(ts_str text, unsigned keep, char *out)
{
    size_t n = 0;

    for (size_t at = 0, len; at < text.len; at += len) {
        const char *original = text.ptr + at;
        uint32_t c;
        len = decode(original, text.len - at, &c);
        char folded = is_crlf(original, text.len - at) ? DROPPED : fold_char(c);

        bool lost = folded == DROPPED ? c != '\r' && !is_invisible(c) : folded == ' ' && c != ' ';
        unsigned kind = folded == DROPPED ? FOLD_KEEP_MARKS : FOLD_KEEP_OTHERS;
        if (lost && (keep & kind)) {
            memcpy(out + n, original, len);
            n += len;
        } else if (folded != DROPPED) {
            out[n++] = folded;
        }
    }
    return n;
}

struct fold_span fold_origin(const struct folded *folded, const char *begin, const char *end)
{
    uint32_t start = folded->origin[begin - folded->text];
    uint32_t last = folded->origin[end - folded->text - 1];
    uint32_t c;
    size_t len = decode(folded->original.ptr + last, folded->original.len - last, &c);

    return (struct fold_span){start, last + (uint32_t)len};
}
