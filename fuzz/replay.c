/* replay.c - a plain main for any fuzz target: runs the files and the folders of files that it is given, in order of name.
 *
 *     replay-conn fuzz/corpus/conn fuzz/regressions/conn     or     replay-conn -v crash-1234
 *
 * Prints how many inputs ran; -v names each before it runs. A finding stops the program, as it would the fuzzer. No input is an error:
 * a test that ran nothing must not look like one that passed. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REPLAY_INPUT_MAX (1u << 20)

static unsigned replay_count;
static bool replay_verbose;

static bool replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "replay: cannot open %s\n", path);
        return false;
    }
    uint8_t *octets = (uint8_t *)malloc(REPLAY_INPUT_MAX);
    size_t len = octets != NULL ? fread(octets, 1, REPLAY_INPUT_MAX, file) : 0;
    bool read_all = octets != NULL && ferror(file) == 0;
    fclose(file);
    if (read_all) {
        uint8_t *exact = (uint8_t *)realloc(octets, len > 0 ? len : 1); /* so that an over-read meets the end of the block */
        octets = exact != NULL ? exact : octets;
        if (replay_verbose) {
            printf("%s\n", path);
            fflush(stdout);
        }
        (void)LLVMFuzzerTestOneInput(octets, len);
        replay_count++;
    }
    free(octets);
    return read_all;
}

static int replay_order(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int replay_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool replay_path(const char *path)
{
    struct stat about;
    memset(&about, 0, sizeof about); /* MSan does not see what stat writes */
    if (stat(path, &about) != 0) {
        fprintf(stderr, "replay: no such file or folder: %s\n", path);
        return false;
    }
    if (!S_ISDIR(about.st_mode)) {
        return replay_file(path);
    }
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, replay_visible, replay_order);
    bool good = count >= 0;
    for (int i = 0; i < count; i++) {
        char name[4096];
        int len = snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
        good = len > 0 && (size_t)len < sizeof name && replay_file(name) && good;
        free(entries[i]);
    }
    free(entries);
    return good;
}

int main(int argc, char **argv)
{
    bool good = true;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-v") == 0) {
            replay_verbose = true;
        } else {
            good = replay_path(argv[i]) && good;
        }
    }
    printf("%u inputs ran\n", replay_count);
    return good && replay_count > 0 ? 0 : 1;
}
