/* weir.c - weir itself behind the line protocol: what the runner can do in one process, done through a program. */
#include <stdio.h>

#include "serve.h"

int main(void)
{
    char why[512] = "";
    struct target *t = target_weir_new(why, sizeof why);
    int status;

    if (t == NULL) {
        (void)fprintf(stderr, "%s\n", why);
        return 2;
    }
    status = serve(t, 0, 1);
    t->ops->free(t);
    return status;
}
