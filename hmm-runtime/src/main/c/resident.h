// resident.h - what a launch has to find of its pages, and leaves behind (resident.c).
#ifndef HMM_RESIDENT_H
#define HMM_RESIDENT_H

#include "dma.h"
#include "hmm_pager.h"

// Whether kernels of a device may start to use a page as it is.
bool holds(const struct hmm_pager *p, unsigned device, const struct hmm_use *use, uint64_t page, uint64_t word);

// The uses of a launch that is published whose pages have to be there: all but those that its kernel finds through the device's table.
static inline uint64_t present(const struct hmm_launch *request) { return request->use_count - request->paged; }

// The first page that does not hold, or page_count. All of them, also after insisting: what held once may be another device's by now.
uint64_t first_missing(const struct hmm_pager *p, const struct hmm_launch *request);
// The pages that are there are used now.
void note_use(const struct hmm_pager *p, const struct hmm_launch *request);
// When launches last used a page that has this frame.
int32_t last_use_of(const struct device *d, unsigned block_shift, uint64_t page, int32_t frame);

#endif
