/* expr_value.c - expressions of %{ }%: Python's operators in Python's order, over whole numbers, floats and texts. */
#include "expr.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct expr_value value_or(struct expr_run *r);

/* ---- values ---------------------------------------------------------------------------------------------------------------------- */

static struct expr_value value_int(int64_t n)
{
    return (struct expr_value){.kind = EXPR_INT, .number = n};
}

static struct expr_value value_float(double d)
{
    return (struct expr_value){.kind = EXPR_FLOAT, .real = d};
}

static double value_real(struct expr_value v)
{
    return v.kind == EXPR_FLOAT ? v.real : (double)v.number;
}

static bool value_is_number(struct expr_value v)
{
    return v.kind == EXPR_INT || v.kind == EXPR_FLOAT;
}

bool expr_true(struct expr_value v)
{
    return v.kind == EXPR_INT ? v.number != 0 : v.kind == EXPR_FLOAT ? v.real != 0 : v.kind == EXPR_TEXT ? v.text[0] != 0 : v.count > 0;
}

static void value_print_tuple(struct expr_value v, char *text, size_t cap)
{
    size_t used = (size_t)snprintf(text, cap, "(");
    for (int i = 0; i < v.count && used + 4 < cap; i++) {
        char item[60] = "(...)";
        if (v.items[i].kind != EXPR_TUPLE) {
            expr_print(v.items[i], item, sizeof item);
        }
        used += (size_t)snprintf(text + used, cap - used, "%s%s", i > 0 ? ", " : "", item);
    }
    if (used + 1 < cap) {
        snprintf(text + used, cap - used, ")");
    }
}

void expr_print(struct expr_value v, char *text, size_t cap)
{
    switch (v.kind) {
    case EXPR_NONE:
        snprintf(text, cap, "None");
        break;
    case EXPR_INT:
        snprintf(text, cap, "%lld", (long long)v.number);
        break;
    case EXPR_FLOAT:
        snprintf(text, cap, "%.10g", v.real);
        break;
    case EXPR_TEXT:
        snprintf(text, cap, "%s", v.text);
        break;
    case EXPR_TUPLE:
        value_print_tuple(v, text, cap);
        break;
    }
}

/* Room for a text of `len` octets and its 0; NULL after an error. */
static char *value_room(struct expr_run *r, size_t len)
{
    if (len >= sizeof r->text - r->text_used) {
        expr_fail(r, EXPR_UNSUPPORTED, "texts of more than %zu octets in a statement", sizeof r->text - 1);
        return NULL;
    }
    char *room = r->text + r->text_used;
    r->text_used += len + 1;
    return room;
}

/* ---- arithmetic ------------------------------------------------------------------------------------------------------------------ */

static int64_t value_floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

static bool value_power(int64_t a, int64_t b, int64_t *out)
{
    bool over = false;
    for (*out = 1; b > 0 && !over; b--) {
        over = __builtin_mul_overflow(*out, a, out);
        if (*out == 0 || (*out == 1 && a == 1)) {
            break;
        }
        if (a == -1) {
            *out = b % 2 == 0 ? 1 : -1;
            break;
        }
    }
    return over;
}

static struct expr_value value_int_arithmetic(struct expr_run *r, const char *sign, int64_t a, int64_t b)
{
    int64_t n = 0;
    bool over = false;
    bool divides = strchr("/%", sign[0]) != NULL, shifts = strchr("<>", sign[0]) != NULL;
    if (divides && b == 0) {
        expr_fail(r, EXPR_BROKEN, "a division by 0");
    } else if (shifts && (b < 0 || b > 62)) {
        expr_fail(r, EXPR_BROKEN, "a shift by %lld", (long long)b);
    } else if (strcmp(sign, "**") == 0) {
        over = value_power(a, b, &n);
    } else if (divides && b == -1) { /* the one quotient that does not fit */
        over = sign[0] == '/' && __builtin_sub_overflow(0, a, &n);
    } else {
        switch (sign[0]) {
        case '+': over = __builtin_add_overflow(a, b, &n); break;
        case '-': over = __builtin_sub_overflow(a, b, &n); break;
        case '*': over = __builtin_mul_overflow(a, b, &n); break;
        case '/': n = value_floor_div(a, b); break;
        case '%': n = a - value_floor_div(a, b) * b; break;
        case '&': n = a & b; break;
        case '|': n = a | b; break;
        case '^': n = a ^ b; break;
        case '<': over = __builtin_mul_overflow(a, (int64_t)1 << b, &n); break;
        default: n = value_floor_div(a, (int64_t)1 << b); break;
        }
    }
    if (over) {
        expr_fail(r, EXPR_UNSUPPORTED, "a number of more than 64 bits");
    }
    return value_int(n);
}

/* The largest whole number not above d; floats of this size and more are whole. */
static double value_floor(double d)
{
    if (!(d > -4e15 && d < 4e15)) {
        return d;
    }
    double whole = (double)(int64_t)d;
    return whole > d ? whole - 1 : whole;
}

static struct expr_value value_float_arithmetic(struct expr_run *r, const char *sign, double a, double b)
{
    if (strchr("/%", sign[0]) != NULL && b == 0) {
        expr_fail(r, EXPR_BROKEN, "a division by 0");
        return value_float(0);
    }
    if (strcmp(sign, "**") == 0) {
        expr_fail(r, EXPR_UNSUPPORTED, "a power of floats");
        return value_float(0);
    }
    switch (sign[0]) {
    case '+': return value_float(a + b);
    case '-': return value_float(a - b);
    case '*': return value_float(a * b);
    case '/': return value_float(sign[1] == '/' ? value_floor(a / b) : a / b);
    case '%': return value_float(a - value_floor(a / b) * b);
    default:
        expr_fail(r, EXPR_BROKEN, "%s of a float", sign);
        return value_float(0);
    }
}

/* 'cwnd=%d' % n, '%d %d' % (a, b): every conversion is replaced by the next value as it is printed. */
static struct expr_value value_format(struct expr_run *r, const char *format, struct expr_value v)
{
    char text[400];
    size_t used = 0;
    int next = 0;
    for (; *format != 0 && used + 1 < sizeof text; format++) {
        size_t n = format[0] == '%' ? strspn(format + 1, "0123456789.-+ l") + 1 : 0;
        if (n == 0 || format[n] == 0 || format[n] == '%') {
            text[used++] = *format;
            format += n > 0 && format[n] == '%' ? n : 0;
            continue;
        }
        struct expr_value item = v.kind != EXPR_TUPLE ? v : next < v.count ? v.items[next] : (struct expr_value){.kind = EXPR_NONE};
        next++;
        expr_print(item, text + used, sizeof text - used);
        used += strlen(text + used);
        format += n;
    }
    text[used] = 0;
    char *room = value_room(r, used);
    return (struct expr_value){.kind = EXPR_TEXT, .text = room != NULL ? strcpy(room, text) : ""};
}

static struct expr_value value_join(struct expr_run *r, const char *a, const char *b)
{
    size_t n = strlen(a);
    char *room = value_room(r, n + strlen(b));
    if (room != NULL) {
        memcpy(room, a, n);
        strcpy(room + n, b);
    }
    return (struct expr_value){.kind = EXPR_TEXT, .text = room != NULL ? room : ""};
}

struct expr_value expr_arithmetic(struct expr_run *r, const char *sign, struct expr_value a, struct expr_value b)
{
    if (r->skip > 0 || r->result != EXPR_OK) {
        return a;
    }
    if (a.kind == EXPR_TEXT && strcmp(sign, "%") == 0) {
        return value_format(r, a.text, b);
    }
    if (a.kind == EXPR_TEXT && b.kind == EXPR_TEXT && strcmp(sign, "+") == 0) {
        return value_join(r, a.text, b.text);
    }
    if (!value_is_number(a) || !value_is_number(b)) {
        expr_fail(r, EXPR_BROKEN, "%s of what is no number", sign);
        return a;
    }
    bool whole = a.kind == EXPR_INT && b.kind == EXPR_INT;
    if (whole && strcmp(sign, "/") != 0 && !(strcmp(sign, "**") == 0 && b.number < 0)) {
        return value_int_arithmetic(r, sign, a.number, b.number);
    }
    return value_float_arithmetic(r, sign, value_real(a), value_real(b));
}

/* ---- what stands by itself ------------------------------------------------------------------------------------------------------- */

/* Nesting is bounded: true, and an error, if it is too deep. */
static bool value_deep(struct expr_run *r)
{
    if (r->depth >= EXPR_DEPTH_MAX) {
        expr_fail(r, EXPR_UNSUPPORTED, "more than %d levels inside each other", EXPR_DEPTH_MAX);
        return true;
    }
    return false;
}

static struct expr_value value_number(struct expr_run *r)
{
    const char *from = r->at;
    uint64_t n = 0;
    bool hex = from[0] == '0' && (from[1] | 0x20) == 'x', over = false;
    unsigned base = hex ? 16 : 10;
    const char *at = hex ? from + 2 : from;
    for (; hex ? isxdigit((unsigned char)*at) : isdigit((unsigned char)*at); at++) {
        unsigned digit = isdigit((unsigned char)*at) ? (unsigned)(*at - '0') : (unsigned)((*at | 0x20) - 'a' + 10);
        over |= n > ((uint64_t)INT64_MAX - digit) / base;
        n = over ? 0 : n * base + digit;
    }
    if (!hex && (*at == '.' || (*at | 0x20) == 'e')) {
        char *end;
        double d = strtod(from, &end);
        r->at = end;
        return value_float(d);
    }
    r->at = at;
    if (over || at == from || (hex && at == from + 2)) {
        expr_fail(r, over ? EXPR_UNSUPPORTED : EXPR_BROKEN, over ? "a number of more than 64 bits" : "a number without digits");
    } else if (isalpha((unsigned char)*at) || *at == '_') {
        expr_fail(r, EXPR_BROKEN, "a number that goes on as a word: %.20s", from);
    }
    return value_int((int64_t)n);
}

static struct expr_value value_text(struct expr_run *r)
{
    char quote = *r->at++;
    const char *end = r->at;
    while (*end != 0 && *end != '\n' && *end != quote) {
        end += *end == '\\' && end[1] != 0 ? 2 : 1;
    }
    if (*end != quote) {
        expr_fail(r, EXPR_BROKEN, "a text that does not end");
        return value_int(0);
    }
    char *room = value_room(r, (size_t)(end - r->at));
    size_t n = 0;
    for (; room != NULL && r->at < end; r->at++) {
        bool escaped = *r->at == '\\';
        r->at += escaped;
        room[n++] = escaped && *r->at == 'n' ? '\n' : *r->at;
    }
    if (room != NULL) {
        room[n] = 0;
        r->at = end + 1;
    }
    return (struct expr_value){.kind = EXPR_TEXT, .text = room != NULL ? room : ""};
}

/* Values between signs, the first of which is taken: a tuple of them. *comma: there was one. */
static struct expr_value value_items(struct expr_run *r, const char *close, bool *comma)
{
    struct expr_value items[16];
    int count = 0;
    *comma = false;
    r->parens++;
    while (r->result == EXPR_OK && !expr_sign(r, close)) {
        if (count == 16) {
            expr_fail(r, EXPR_UNSUPPORTED, "more than 16 values in a list");
            break;
        }
        items[count++] = value_or(r);
        expr_space(r);
        if (expr_sign(r, ",")) {
            *comma = true;
        } else if (!expr_sign(r, close)) {
            expr_fail(r, EXPR_BROKEN, "%s is missing", close);
        } else {
            break;
        }
    }
    r->parens--;
    if (count > (int)(sizeof r->items / sizeof r->items[0]) - r->item_count) {
        expr_fail(r, EXPR_UNSUPPORTED, "so many values in lists");
        count = 0;
    }
    struct expr_value v = {.kind = EXPR_TUPLE, .items = r->items + r->item_count, .count = count};
    if (count > 0) {
        memcpy(r->items + r->item_count, items, (size_t)count * sizeof items[0]);
    }
    r->item_count += count;
    return v;
}

static int value_order(struct expr_value a, struct expr_value b)
{
    if (a.kind == EXPR_INT && b.kind == EXPR_INT) {
        return (a.number > b.number) - (a.number < b.number);
    }
    if (a.kind == EXPR_TEXT && b.kind == EXPR_TEXT) {
        return strcmp(a.text, b.text);
    }
    double x = value_real(a), y = value_real(b);
    return (x > y) - (x < y);
}

static struct expr_value value_extreme(struct expr_run *r, struct expr_value list, int sign)
{
    if (list.count == 0) {
        expr_fail(r, EXPR_BROKEN, "min or max of nothing");
        return value_int(0);
    }
    struct expr_value best = list.items[0];
    for (int i = 1; i < list.count; i++) {
        best = value_order(list.items[i], best) * sign > 0 ? list.items[i] : best;
    }
    return best;
}

static struct expr_value value_to_int(struct expr_run *r, double d)
{
    if (!(d > -9e18 && d < 9e18)) {
        expr_fail(r, EXPR_UNSUPPORTED, "a number of more than 64 bits");
        return value_int(0);
    }
    return value_int((int64_t)d);
}

static struct expr_value value_absolute(struct expr_run *r, struct expr_value v)
{
    if (v.kind == EXPR_FLOAT) {
        return value_float(v.real < 0 ? -v.real : v.real);
    }
    return v.number < 0 ? value_int_arithmetic(r, "-", 0, v.number) : v;
}

static struct expr_value value_call(struct expr_run *r, const char *name, size_t len)
{
    bool comma;
    struct expr_value args = value_items(r, ")", &comma);
    if (r->skip > 0 || r->result != EXPR_OK) {
        return value_int(0);
    }
    struct expr_value first = args.count > 0 ? args.items[0] : value_int(0);
    bool one = args.count == 1 && value_is_number(first);
    if (len == 3 && (strncmp(name, "min", 3) == 0 || strncmp(name, "max", 3) == 0)) {
        return value_extreme(r, args.count == 1 && first.kind == EXPR_TUPLE ? first : args, name[1] == 'a' ? 1 : -1);
    }
    if (len == 3 && strncmp(name, "abs", 3) == 0 && one) {
        return value_absolute(r, first);
    }
    if (len == 3 && strncmp(name, "int", 3) == 0 && one) {
        return first.kind == EXPR_INT ? first : value_to_int(r, first.real);
    }
    if (len == 5 && strncmp(name, "round", 5) == 0 && one) {
        return first.kind == EXPR_INT ? first : value_to_int(r, value_floor(first.real + 0.5));
    }
    if (len == 5 && strncmp(name, "float", 5) == 0 && one) {
        return value_float(value_real(first));
    }
    expr_fail(r, EXPR_UNSUPPORTED, "the function %.*s of these arguments", (int)(len < 40 ? len : 40), name);
    return value_int(0);
}

static struct expr_value value_atom(struct expr_run *r)
{
    expr_space(r);
    char c = *r->at;
    if (c == '(' || c == '[') {
        bool comma;
        r->at++;
        struct expr_value v = value_items(r, c == '(' ? ")" : "]", &comma);
        return c == '(' && v.count == 1 && !comma ? v.items[0] : v;
    }
    if (isdigit((unsigned char)c) || (c == '.' && isdigit((unsigned char)r->at[1]))) {
        return value_number(r);
    }
    if (c == '"' || c == '\'') {
        return value_text(r);
    }
    size_t len = expr_name_len(r->at);
    if (len == 0) {
        expr_fail(r, EXPR_BROKEN, c == 0 ? "a value is missing" : "a value expected at \"%.20s\"", r->at);
        return value_int(0);
    }
    const char *name = r->at;
    r->at += len;
    return expr_sign(r, "(") ? value_call(r, name, len) : expr_lookup(r, name, len);
}

static struct expr_value value_unary(struct expr_run *r);

static struct expr_value value_primary(struct expr_run *r)
{
    struct expr_value v = value_atom(r);
    expr_space(r);
    if (*r->at == '[' || *r->at == '.') {
        expr_fail(r, EXPR_UNSUPPORTED, "Python's \"%c\" after a value", *r->at);
    }
    return expr_sign(r, "**") ? expr_arithmetic(r, "**", v, value_unary(r)) : v;
}

static struct expr_value value_unary(struct expr_run *r)
{
    if (value_deep(r)) {
        return value_int(0);
    }
    r->depth++;
    struct expr_value v;
    if (expr_sign(r, "-")) {
        v = value_unary(r);
        v = v.kind == EXPR_FLOAT ? value_float(-v.real) : expr_arithmetic(r, "-", value_int(0), v);
    } else if (expr_sign(r, "+")) {
        v = expr_arithmetic(r, "+", value_int(0), value_unary(r));
    } else if (expr_sign(r, "~")) {
        v = expr_arithmetic(r, "-", value_int(-1), value_unary(r));
    } else {
        v = value_primary(r);
    }
    r->depth--;
    return v;
}

/* ---- operators between values ---------------------------------------------------------------------------------------------------- */

/* From weakest to strongest; the signs of one strength in one row, the longer before the shorter. */
static const char *const value_signs[][4] = {{"|"}, {"^"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"//", "*", "/", "%"}};
#define VALUE_STRENGTHS 6

static const char *value_sign(struct expr_run *r, int strength)
{
    expr_space(r);
    for (int i = 0; i < 4 && value_signs[strength][i] != NULL; i++) {
        const char *sign = value_signs[strength][i];
        size_t n = strlen(sign);
        if (strncmp(r->at, sign, n) == 0 && r->at[n] != '=') {
            r->at += n;
            return sign;
        }
    }
    return NULL;
}

static struct expr_value value_binary(struct expr_run *r, int strength)
{
    if (strength == VALUE_STRENGTHS) {
        return value_unary(r);
    }
    struct expr_value v = value_binary(r, strength + 1);
    for (const char *sign; (sign = value_sign(r, strength)) != NULL;) {
        v = expr_arithmetic(r, sign, v, value_binary(r, strength + 1));
    }
    return v;
}

enum value_comparison { CMP_NONE, CMP_EQ, CMP_NE, CMP_LE, CMP_GE, CMP_LT, CMP_GT, CMP_IN, CMP_NOT_IN };
static const char *const value_cmp_names[] = {"", "==", "!=", "<=", ">=", "<", ">", "in", "not in"};

static enum value_comparison value_cmp(struct expr_run *r)
{
    for (int c = CMP_EQ; c <= CMP_GT; c++) {
        if (expr_sign(r, value_cmp_names[c])) {
            return (enum value_comparison)c;
        }
    }
    if (expr_word(r, "in")) {
        return CMP_IN;
    }
    if (expr_word(r, "is")) {
        return expr_word(r, "not") ? CMP_NE : CMP_EQ;
    }
    const char *at = r->at;
    if (expr_word(r, "not") && expr_word(r, "in")) {
        return CMP_NOT_IN;
    }
    r->at = at;
    return CMP_NONE;
}

static bool value_same(struct expr_value a, struct expr_value b)
{
    if (a.kind == EXPR_TUPLE && b.kind == EXPR_TUPLE) {
        bool same = a.count == b.count;
        for (int i = 0; same && i < a.count; i++) {
            same = a.items[i].kind != EXPR_TUPLE && value_same(a.items[i], b.items[i]);
        }
        return same;
    }
    bool alike = a.kind == b.kind || (value_is_number(a) && value_is_number(b));
    return alike && (a.kind == EXPR_NONE || value_order(a, b) == 0);
}

static bool value_in(struct expr_run *r, struct expr_value a, struct expr_value b)
{
    if (a.kind == EXPR_TEXT && b.kind == EXPR_TEXT) {
        return strstr(b.text, a.text) != NULL;
    }
    if (b.kind != EXPR_TUPLE) {
        expr_fail(r, EXPR_BROKEN, "\"in\" what is no list");
    }
    for (int i = 0; i < b.count && b.kind == EXPR_TUPLE; i++) {
        if (value_same(a, b.items[i])) {
            return true;
        }
    }
    return false;
}

static bool value_compare(struct expr_run *r, enum value_comparison c, struct expr_value a, struct expr_value b)
{
    bool orders = (value_is_number(a) && value_is_number(b)) || (a.kind == EXPR_TEXT && b.kind == EXPR_TEXT);
    if (c >= CMP_LE && c <= CMP_GT && !orders) {
        expr_fail(r, EXPR_BROKEN, "%s between what has no order", value_cmp_names[c]);
        return false;
    }
    switch (c) {
    case CMP_EQ: return value_same(a, b);
    case CMP_NE: return !value_same(a, b);
    case CMP_LE: return value_order(a, b) <= 0;
    case CMP_GE: return value_order(a, b) >= 0;
    case CMP_LT: return value_order(a, b) < 0;
    case CMP_GT: return value_order(a, b) > 0;
    case CMP_IN: return value_in(r, a, b);
    default: return !value_in(r, a, b);
    }
}

/* a == b, a < b <= c: false at the first that does not hold. */
static struct expr_value value_comparison(struct expr_run *r)
{
    struct expr_value a = value_binary(r, 0);
    bool any = false, holds = true;
    for (enum value_comparison c; (c = value_cmp(r)) != CMP_NONE; any = true) {
        r->skip += !holds;
        struct expr_value b = value_binary(r, 0);
        r->skip -= !holds;
        if (r->skip == 0 && holds && r->result == EXPR_OK && !value_compare(r, c, a, b)) {
            char seen[80], wanted[80];
            expr_print(a, seen, sizeof seen);
            expr_print(b, wanted, sizeof wanted);
            holds = false;
            if (c == CMP_EQ) {
                snprintf(r->compared, sizeof r->compared, "%s expected, %s seen", wanted, seen);
            } else {
                snprintf(r->compared, sizeof r->compared, "%s seen, not %s %s", seen, value_cmp_names[c], wanted);
            }
        }
        a = b;
    }
    return any ? value_int(holds) : a;
}

static struct expr_value value_not(struct expr_run *r)
{
    if (!expr_word(r, "not")) {
        return value_comparison(r);
    }
    if (value_deep(r)) {
        return value_int(0);
    }
    r->depth++;
    struct expr_value v = value_int(!expr_true(value_not(r)));
    r->depth--;
    r->compared[0] = 0;
    return v;
}

static struct expr_value value_and(struct expr_run *r)
{
    struct expr_value v = value_not(r);
    while (expr_word(r, "and")) {
        bool decided = !expr_true(v);
        r->skip += decided;
        struct expr_value next = value_not(r);
        r->skip -= decided;
        v = decided ? v : next;
    }
    return v;
}

static struct expr_value value_or(struct expr_run *r)
{
    struct expr_value v = value_and(r);
    while (expr_word(r, "or")) {
        bool decided = expr_true(v);
        r->skip += decided;
        struct expr_value next = value_and(r);
        r->skip -= decided;
        v = decided ? v : next;
    }
    if (expr_word(r, "if") || expr_word(r, "lambda")) {
        expr_fail(r, EXPR_UNSUPPORTED, "Python's \"if\" in an expression");
    }
    return v;
}

struct expr_value expr_value_of(struct expr_run *r)
{
    return value_or(r);
}
