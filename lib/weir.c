/* weir.c - the whole library as one unit, and its table of contents: the order in which a packet meets the rooms.
 *
 * Compile this file alone and you have weir; the build does nothing else. Every file below also compiles by itself.
 * ci/amalgamate.py flattens this file and the public headers into the single header.
 */
#include "weir/stack.h"
#include "weir/weir.h"

#if WEIR_WITH_EVERYTHING
#define WEIR_PRIVATE static
#else /* what nobody but the features calls that were left out is left out too */
#define WEIR_PRIVATE static __attribute__((unused))
#endif

/* wire: octets <-> fields. Knows no connection, keeps no state. */
#include "wire/checksum.c"
#include "wire/siphash.c"
#include "wire/verdict.c"
#include "wire/view.c"
#include "wire/emit.c"
#include "wire/ip.c"

/* recovery: when to send again, and how much. Knows no connection either. */
#include "recovery/rtt.c"
#include "recovery/bits.c"
#include "recovery/sack.c"
#include "recovery/flying.c"
#include "recovery/sack_check.c"
#include "recovery/sack_small.c"
#include "recovery/cc.c"
#include "recovery/prr.c"
#include "recovery/cwv.c"
#include "recovery/rack.c"
#include "recovery/rate.c"
#include "recovery/hystart.c"
#include "recovery/cc_newreno.c"
#include "recovery/cc_cubic.c"
#include "recovery/cc_bbr.c"

/* conn: one connection. */
#include "conn/config.c"
#include "conn/iss.c"
#include "conn/facts.c"
#include "conn/fsm.c"
#include "conn/predict.c"
#include "conn/calm.c"
#include "conn/act.c"
#include "conn/ack.c"
#include "conn/repair.c"
#include "conn/undo.c"
#include "conn/ecn.c"
#include "conn/ring.c"
#include "conn/window.c"
#include "conn/tune.c"
#include "conn/icmp.c"
#include "conn/user.c"
#include "conn/timer.c"
#include "conn/pace.c"
#include "conn/out.c"
#include "conn/cut.c"
#include "conn/conn.c"
#include "conn/pack.c"
#include "conn/gist.c"
#include "conn/half.c"
#include "conn/info.c"
#include "conn/check.c"

/* stack: many connections. */
#include "stack/pool.c"
#include "stack/store.c"
#include "stack/list.c"
#include "stack/wheel.c"
#include "stack/demux.c"
#include "stack/lend.c"
#include "stack/rest.c"
#include "stack/slot.c"
#include "stack/timewait.c"
#include "stack/syn.c"
#include "stack/listen.c"
#include "stack/open.c"
#include "stack/answer.c"
#include "stack/cookie.c"
#include "stack/arrive.c"
#include "stack/train.c"
#include "stack/batch.c"
#include "stack/depart.c"
#include "stack/handle.c"
#include "stack/check.c"
#include "stack/stack.c"
