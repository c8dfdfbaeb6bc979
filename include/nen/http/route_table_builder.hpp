// Builds the route table while the program is compiled, and finds the routes that could never be
// reached. http, L1
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <nen/http/method.hpp>
#include <nen/http/pattern.hpp>
#include <nen/http/route_table.hpp>
#include <string_view>

namespace nen::detail {

/// One route as the builder takes it.
struct route_spec {
  const pattern_segment* segments;
  std::size_t segment_count;
  method_set methods;
};

enum class route_conflict : std::uint8_t {
  none,
  repeated,  ///< two routes name the same method for the same pattern
  hidden,    ///< other routes of its pattern name every method, so that `any` is left none
};

constexpr bool intersect(method_set a, method_set b) noexcept {
  for (std::uint8_t i = 0; i < method_count; ++i) {
    if (a.contains(static_cast<method>(i)) && b.contains(static_cast<method>(i))) return true;
  }
  return false;
}

/// Load is at most one third, so that nearly every look-up ends at the first slot it sees: a branch
/// that the processor guesses wrong costs more than the room.
constexpr std::size_t slots_for(std::size_t edges) noexcept {
  return std::bit_ceil(edges * 3 < 2 ? std::size_t{2} : edges * 3);
}

/// A table with exactly the room it needs: all of it is constant data.
template <std::size_t Nodes, std::size_t Edges, std::size_t TextBytes, std::size_t Routes>
struct route_table {
  static constexpr std::size_t slots = slots_for(Edges);
  static constexpr auto shift = static_cast<std::uint8_t>(64 - std::bit_width(slots - 1));

  // A zero-sized array has no address to hand out.
  std::array<route_node, Nodes> nodes{};
  std::array<route_edge, slots> edges{};
  std::array<route_link, Routes + 1> routes{};
  std::array<char, TextBytes + 1> text{};
  std::uint16_t depth = 0;
  method_set methods{};

  [[nodiscard]] constexpr route_finder finder() const noexcept {
    return {nodes.data(), edges.data(), routes.data(), text.data(),
            slots - 1,    shift,        depth,         methods};
  }

  constexpr void insert_edge(const route_edge& edge, std::uint64_t hash) noexcept {
    std::uint32_t slot = first_slot(hash, edge.parent, shift);
    while (edges[slot & (slots - 1)].child != 0) ++slot;
    edges[slot & (slots - 1)] = edge;
  }
};

/// The table while it grows. Its arrays have room for patterns that share nothing; fit() then makes
/// the table that stays.
template <std::size_t SegmentsMax, std::size_t TextMax, std::size_t Routes>
struct route_draft {
  static_assert(SegmentsMax < 0xffff && Routes < 0xffff,
                "a router's patterns have at most 65,534 segments together: serve some of them "
                "from one \"*rest\" route");

  // Every pattern's text is there twice: by segments, and as a whole with slashes in it.
  route_table<SegmentsMax + 1, SegmentsMax + Routes, 2 * TextMax + SegmentsMax, Routes> table{};
  /// The slots' hashes, in the order of children, so that fit() need not hash again.
  std::array<std::uint64_t, SegmentsMax + 1> child_hash{};
  std::array<std::uint64_t, SegmentsMax + 1> path_hash{};
  std::size_t node_count = 1;
  std::size_t edge_count = 0;
  std::size_t text_bytes = 0;
  route_conflict conflict = route_conflict::none;
  std::size_t conflict_first = 0;
  std::size_t conflict_second = 0;

  constexpr explicit route_draft(const std::array<route_spec, Routes>& specs) {
    for (std::size_t i = 0; i < Routes; ++i) add(specs[i], i);
    for (std::size_t i = 0; i < Routes; ++i) find_hidden(i);
  }

  template <std::size_t Nodes, std::size_t Edges, std::size_t TextBytes>
  [[nodiscard]] constexpr auto fit() const {
    route_table<Nodes, Edges, TextBytes, Routes> fitted{};
    for (std::size_t i = 0; i < Nodes; ++i) fitted.nodes[i] = table.nodes[i];
    for (const route_edge& edge : table.edges) {
      if (edge.child == 0) continue;
      const auto& hash = edge.parent == whole_path ? path_hash : child_hash;
      fitted.insert_edge(edge, hash[edge.child]);
    }
    for (std::size_t i = 0; i < Routes; ++i) fitted.routes[i] = table.routes[i];
    for (std::size_t i = 0; i < TextBytes; ++i) fitted.text[i] = table.text[i];
    fitted.depth = table.depth;
    fitted.methods = table.methods;
    return fitted;
  }

 private:
  constexpr std::uint16_t new_node() { return static_cast<std::uint16_t>(node_count++); }

  constexpr std::uint16_t text_child(std::uint16_t parent, const pattern_segment& segment) {
    constexpr std::size_t mask = decltype(table)::slots - 1;
    const auto tag = static_cast<std::uint32_t>(segment.hash >> 32);
    std::uint32_t slot = first_slot(segment.hash, parent, table.shift);
    for (; table.edges[slot & mask].child != 0; ++slot) {
      const route_edge& edge = table.edges[slot & mask];
      if (edge.tag == tag && edge.parent == parent && edge.size == segment.text.size() &&
          equal_text(&table.text[edge.text], segment.text.data(), edge.size)) {
        return edge.child;
      }
    }
    const std::uint16_t child = new_node();
    table.edges[slot & mask] = {tag, static_cast<std::uint32_t>(text_bytes),
                                static_cast<std::uint16_t>(segment.text.size()), parent, child};
    table.nodes[parent].has_text_child = true;
    child_hash[child] = segment.hash;
    for (const char c : segment.text) table.text[text_bytes++] = c;
    ++edge_count;
    return child;
  }

  constexpr std::uint16_t child_of(std::uint16_t parent, const pattern_segment& segment) {
    if (segment.kind == segment_kind::text) return text_child(parent, segment);
    std::uint16_t& child = segment.kind == segment_kind::rest ? table.nodes[parent].rest_child
                                                              : table.nodes[parent].parameter_child;
    if (child == 0) child = new_node();
    return child;
  }

  /// Lets a pattern of text alone be found as a whole.
  constexpr void add_whole(const route_spec& spec, std::uint16_t node) {
    if (table.nodes[node].first_route != 0) return;  // another route of this pattern has done it
    for (std::size_t i = 0; i < spec.segment_count; ++i)
      if (spec.segments[i].kind != segment_kind::text) return;
    const std::size_t begin = text_bytes;
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < spec.segment_count; ++i) {
      if (i != 0) table.text[text_bytes++] = '/';
      for (const char c : spec.segments[i].text) table.text[text_bytes++] = c;
      hash = extend_hash(hash, spec.segments[i].hash);
    }
    path_hash[node] = hash;
    table.insert_edge({static_cast<std::uint32_t>(hash >> 32), static_cast<std::uint32_t>(begin),
                       static_cast<std::uint16_t>(text_bytes - begin), whole_path, node},
                      hash);
    ++edge_count;
  }

  constexpr void note(route_conflict found, std::size_t first, std::size_t second) {
    if (conflict != route_conflict::none) return;
    conflict = found;
    conflict_first = first;
    conflict_second = second;
  }

  constexpr void add(const route_spec& spec, std::size_t index) {
    if (spec.segment_count == 0) return;  // its pattern is wrong, which is reported there
    std::uint16_t at = 0;
    for (std::size_t i = 0; i < spec.segment_count; ++i) at = child_of(at, spec.segments[i]);
    add_whole(spec, at);
    if (spec.segment_count > table.depth) {
      table.depth = static_cast<std::uint16_t>(spec.segment_count);
    }
    route_node& node = table.nodes[at];
    const bool any = spec.methods == any_method;
    std::uint16_t last = 0;
    for (std::uint16_t i = node.first_route; i != 0; i = table.routes[i - 1U].next) {
      const method_set other = table.routes[i - 1U].methods;
      if (any == (other == any_method) && intersect(spec.methods, other)) {
        note(route_conflict::repeated, i - 1U, index);
      }
      last = i;
    }
    const auto self = static_cast<std::uint16_t>(index + 1);
    table.routes[index].methods = spec.methods;
    if (any && last != 0) {
      table.routes[last - 1U].next = self;
    } else {
      table.routes[index].next = node.first_route;
      node.first_route = self;
    }
    node.methods.merge(spec.methods);
    if (node.methods.contains(method::get)) node.methods.insert(method::head);
    table.methods.merge(node.methods);
    last_node[index] = at;
  }

  /// An `any` is hidden when the routes that name their methods name all of them.
  constexpr void find_hidden(std::size_t index) {
    if (table.routes[index].methods != any_method) return;
    method_set named;
    for (std::uint16_t i = table.nodes[last_node[index]].first_route; i != 0;
         i = table.routes[i - 1U].next) {
      if (i - 1U != index) named.merge(table.routes[i - 1U].methods);
    }
    if (named.contains(method::get)) named.insert(method::head);
    if (named == any_method) note(route_conflict::hidden, index, index);
  }

  std::array<std::uint16_t, Routes + 1> last_node{};  // where each route's pattern ends
};

}  // namespace nen::detail
