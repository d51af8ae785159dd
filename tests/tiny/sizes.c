/* sizes.c - what memory a connection takes, as sizes of arrays for ci/tiny to read. */
#include "conn/conn.h"

#define SIZES_RECORDS 16 /* as weir_buffers_carve gives to rings of up to 16 KiB */

char tiny_conn[sizeof(weir_conn)];
char tiny_records[SIZES_RECORDS * sizeof(struct weir_span) + WEIRI_BOARD_MEMORY(SIZES_RECORDS) * sizeof(struct weir_sent)];
char tiny_config[sizeof(weir_config)];
