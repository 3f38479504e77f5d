#define _GNU_SOURCE
#include "resolving.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Before glibc 2.34 dlsym() is in libdl.so, which this library cannot require, because newer
 * systems may lack the file. So the reference is weak and names the oldest version, which every
 * glibc provides. */
#ifdef __GLIBC__
#if defined(__x86_64__)
__asm__(".symver dlsym, dlsym@GLIBC_2.2.5");
#elif defined(__aarch64__)
__asm__(".symver dlsym, dlsym@GLIBC_2.17");
#endif
extern __typeof__(dlsym) dlsym __attribute__((weak));
#endif

/* The tables of a loaded object for symbol lookup (elf(5)). */
struct tables {
    const ElfW(Sym) *symbols;
    const char *names;
    const uint16_t *versions;
    const uint32_t *gnu_hash;
    const uint32_t *hash;
};

struct search {
    const char *name;
    uintptr_t own_address;
    bool is_past_own;
    void *found;
};

enum { hidden_version = 0x8000, hash_bits_per_word = sizeof(ElfW(Addr)) * 8 };

/* glibc adds the base to the addresses in memory; musl and the vDSO do not. */
static const void *at(const struct dl_phdr_info *object, ElfW(Addr) address) {
    return (const void *)(address < object->dlpi_addr ? object->dlpi_addr + address : address);
}

static struct tables tables_of(const struct dl_phdr_info *object) {
    struct tables tables = {0};
    const ElfW(Dyn) *entry = NULL;
    for (int index = 0; index < object->dlpi_phnum; index++) {
        if (object->dlpi_phdr[index].p_type == PT_DYNAMIC)
            entry = (const ElfW(Dyn) *)(object->dlpi_addr + object->dlpi_phdr[index].p_vaddr);
    }
    for (; entry != NULL && entry->d_tag != DT_NULL; entry++) {
        const void *place = at(object, entry->d_un.d_ptr);
        switch (entry->d_tag) {
        case DT_SYMTAB: tables.symbols = place; break;
        case DT_STRTAB: tables.names = place; break;
        case DT_VERSYM: tables.versions = place; break;
        case DT_GNU_HASH: tables.gnu_hash = place; break;
        case DT_HASH: tables.hash = place; break;
        default: break;
        }
    }
    return tables;
}

static bool is_wanted(const struct tables *tables, uint32_t index, const char *name) {
    const ElfW(Sym) *symbol = &tables->symbols[index];
    bool is_default = tables->versions == NULL || (tables->versions[index] & hidden_version) == 0;
    return symbol->st_shndx != SHN_UNDEF && (symbol->st_info & 0xf) == STT_FUNC && is_default
        && strcmp(tables->names + symbol->st_name, name) == 0;
}

/* Index 0 is not a symbol. */
static uint32_t find_by_gnu_hash(const struct tables *tables, const char *name) {
    uint32_t code = 5381;
    for (const unsigned char *next = (const unsigned char *)name; *next != '\0'; next++)
        code = code * 33 + *next;
    uint32_t bucket_count = tables->gnu_hash[0], first = tables->gnu_hash[1];
    uint32_t filter_words = tables->gnu_hash[2] * (hash_bits_per_word / 32);
    const uint32_t *buckets = tables->gnu_hash + 4 + filter_words;
    const uint32_t *chains = buckets + bucket_count;
    uint32_t index = bucket_count == 0 ? 0 : buckets[code % bucket_count];
    if (index < first)
        return 0;
    for (;; index++) {
        uint32_t entry = chains[index - first];
        if ((entry | 1) == (code | 1) && is_wanted(tables, index, name))
            return index;
        if ((entry & 1) != 0)
            return 0;
    }
}

static uint32_t find_by_hash(const struct tables *tables, const char *name) {
    uint32_t symbol_count = tables->hash[1];
    for (uint32_t index = 1; index < symbol_count; index++) {
        if (is_wanted(tables, index, name))
            return index;
    }
    return 0;
}

static bool holds(const struct dl_phdr_info *object, uintptr_t address) {
    for (int index = 0; index < object->dlpi_phnum; index++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[index];
        if (segment->p_type == PT_LOAD
            && address - (object->dlpi_addr + segment->p_vaddr) < segment->p_memsz)
            return true;
    }
    return false;
}

static int visit_object(struct dl_phdr_info *object, size_t size, void *context) {
    (void)size;
    struct search *search = context;
    if (!search->is_past_own) {
        search->is_past_own = holds(object, search->own_address);
        return 0;
    }
    struct tables tables = tables_of(object);
    if (tables.symbols == NULL || tables.names == NULL)
        return 0;
    uint32_t index = 0;
    if (tables.gnu_hash != NULL)
        index = find_by_gnu_hash(&tables, search->name);
    else if (tables.hash != NULL)
        index = find_by_hash(&tables, search->name);
    if (index == 0)
        return 0;
    search->found = (void *)(object->dlpi_addr + tables.symbols[index].st_value);
    return 1;
}

void *resolve_next_by_walking(const char *name) {
    struct search search = {.name = name, .own_address = (uintptr_t)&resolve_next_by_walking};
    dl_iterate_phdr(visit_object, &search);
    return search.found;
}

void *resolve_next(const char *name) {
#ifdef __GLIBC__
    if (dlsym == NULL)
        return resolve_next_by_walking(name);
#endif
    return dlsym(RTLD_NEXT, name);
}
