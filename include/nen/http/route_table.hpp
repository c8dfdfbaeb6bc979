// Which route a path leads to: a trie of segments whose edges all live in one hash table, so that
// a look-up costs the same for one route and for a thousand. Paths without a parameter are in it as
// a whole, too. http, L1
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <nen/http/method.hpp>
#include <nen/http/path_segments.hpp>
#include <string_view>
#include <type_traits>

namespace nen {

enum class route_outcome : std::uint8_t {
  found,
  not_found,           ///< no pattern matches the path
  method_not_allowed,  ///< patterns match, but none of them has the method
  options,             ///< OPTIONS, which no route answers itself, for a path that has routes
};

struct route_match {
  route_outcome outcome;
  std::uint16_t route;  ///< the route's index in the order of declaration, when found
  /// What Allow says, for the outcomes method_not_allowed and options.
  method_set allowed;
};

namespace detail {

/// Indices of routes and nodes are stored plus one where there may be none, so that zero is none.
struct route_node {
  std::uint16_t parameter_child;  ///< 0: none; the root is nobody's child
  std::uint16_t rest_child;       ///< 0: none
  std::uint16_t first_route;      ///< plus one; the routes whose pattern ends here
  bool has_text_child;
  method_set methods;  ///< of those routes, and HEAD where there is GET
};

/// One slot of the hash table; a child of 0 means that it is free.
struct route_edge {
  std::uint32_t tag;   ///< high half of the text's hash
  std::uint32_t text;  ///< where the segment's bytes begin in the table's text
  std::uint16_t size;
  std::uint16_t parent;  ///< or whole_path
  std::uint16_t child;
};

/// The parent of edges whose text is a whole pattern without parameters, behind its first slash.
inline constexpr std::uint16_t whole_path = 0xffff;

struct route_link {
  method_set methods;
  std::uint16_t next;  ///< plus one; the next route of the same pattern, `any` last
};

/// Every method that a path can be asked for: CONNECT names a host and has no path.
constexpr method_set all_methods() noexcept {
  method_set all;
  for (std::uint8_t i = 0; i < method_count; ++i) {
    if (static_cast<method>(i) != method::connect) all.insert(static_cast<method>(i));
  }
  return all;
}

inline constexpr method_set any_method = all_methods();

/// The first slot to look at. Fibonacci hashing: the product's high bits depend on every bit.
constexpr std::uint32_t first_slot(std::uint64_t hash, std::uint32_t parent,
                                   unsigned shift) noexcept {
  return static_cast<std::uint32_t>(((hash + parent) * 0xD6E8FEB86659FD93U) >> shift);
}

/// memcmp is a call; nearly all segments are shorter than two words.
inline bool same_bytes(const char* a, const char* b, std::size_t size) noexcept {
  if (size < 4) {
    return size == 0 || (a[0] == b[0] && a[size / 2] == b[size / 2] && a[size - 1] == b[size - 1]);
  }
  if (size < 8) {
    std::uint32_t head[2];
    std::uint32_t tail[2];
    std::memcpy(&head[0], a, 4);
    std::memcpy(&head[1], b, 4);
    std::memcpy(&tail[0], a + size - 4, 4);
    std::memcpy(&tail[1], b + size - 4, 4);
    return head[0] == head[1] && tail[0] == tail[1];
  }
  if (size <= 16) {
    std::uint64_t head[2];
    std::uint64_t tail[2];
    std::memcpy(&head[0], a, 8);
    std::memcpy(&head[1], b, 8);
    std::memcpy(&tail[0], a + size - 8, 8);
    std::memcpy(&tail[1], b + size - 8, 8);
    return head[0] == head[1] && tail[0] == tail[1];
  }
  return std::memcmp(a, b, size) == 0;
}

constexpr bool equal_text(const char* a, const char* b, std::size_t size) noexcept {
  if (!std::is_constant_evaluated()) return same_bytes(a, b, size);
  for (std::size_t i = 0; i < size; ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

/// The look-up itself, on tables of any size: one copy of its code serves every router.
class route_finder {
 public:
  const route_node* nodes;
  const route_edge* edges;
  const route_link* routes;
  const char* text;
  std::uint32_t edge_mask;  ///< slots less one
  std::uint8_t edge_shift;  ///< leaves as many bits of a product as a slot's number has
  std::uint16_t depth;      ///< segments of the longest pattern
  method_set methods;       ///< of the whole table

  /// The most specific route for the path that has the method. In each segment static text goes
  /// before a parameter and that before "*rest"; a choice that leads nowhere is taken back. A trie
  /// has one way to each node, so the whole search visits each node at most once.
  /// @param segments  is left for the route's handler to take its values from
  [[nodiscard]] constexpr route_match find(method wanted, std::string_view path,
                                           path_segments& segments) const noexcept {
    segments.count = 0;
    if (!path.starts_with('/')) return find_server_wide(wanted, path);
    std::uint64_t hashes[segments_max + 1];
    const std::uint64_t whole = cut(path, segments, hashes);
    // Static text goes before everything, so that nothing can be more specific than all of it.
    if (segments.count <= depth)
      if (const auto node = text_child(whole_path, path.substr(1), whole))
        if (can_serve(nodes[node], wanted))
          return {route_outcome::found, pick(nodes[node], wanted), {}};
    return walk(wanted, path, segments, hashes);
  }

 private:
  /// What to try next at a node, in the order of precedence.
  enum class choice : std::uint8_t { text, parameter, rest };
  struct branch {
    std::uint16_t node;
    std::uint8_t segment;
    choice next;
  };

  /// Segment by segment.
  [[nodiscard]] constexpr route_match walk(method wanted, std::string_view path,
                                           const path_segments& segments,
                                           const std::uint64_t* hashes) const noexcept {
    // At most one way not yet tried hangs on each segment of the current one.
    branch untried[segments_max + 1];
    std::size_t untried_count = 0;
    method_set allowed;
    branch at{0, 0, choice::text};
    while (true) {
      const route_node& node = nodes[at.node];
      std::uint16_t child = 0;
      if (at.segment == segments.count) {
        if (can_serve(node, wanted)) return {route_outcome::found, pick(node, wanted), {}};
        allowed.merge(node.methods);
      } else {
        if (at.next == choice::text && node.has_text_child)
          child = text_child(at.node, segments.segment(path, at.segment), hashes[at.segment]);
        if (child != 0) {
          if (node.parameter_child != 0 || node.rest_child != 0)
            untried[untried_count++] = {at.node, at.segment, choice::parameter};
        } else if (at.next <= choice::parameter && node.parameter_child != 0 &&
                   segments.begin[at.segment + 1] - segments.begin[at.segment] > 1) {
          child = node.parameter_child;
          if (node.rest_child != 0) untried[untried_count++] = {at.node, at.segment, choice::rest};
        } else if (node.rest_child != 0) {
          at = {node.rest_child, static_cast<std::uint8_t>(segments.count), choice::text};
          continue;
        }
      }
      if (child != 0) {
        at = {child, static_cast<std::uint8_t>(at.segment + 1), choice::text};
      } else if (untried_count != 0) {
        at = untried[--untried_count];
      } else {
        return without_route(wanted, allowed);
      }
    }
  }

  /// @returns  the hash of all that was cut
  constexpr std::uint64_t cut(std::string_view path, path_segments& segments,
                              std::uint64_t* hashes) const noexcept {
    std::uint64_t whole = 0;
    std::size_t begin = 1;
    std::uint32_t count = 0;
    segments.begin[0] = 1;
    while (begin <= path.size() && count <= depth) {
      const scanned_segment found = scan_segment(path, begin);
      begin += found.size + 1;
      hashes[count++] = found.hash;
      whole = extend_hash(whole, found.hash);
      segments.begin[count] = static_cast<std::uint32_t>(begin);
    }
    segments.count = count;
    return whole;
  }

  [[nodiscard]] constexpr std::uint16_t text_child(std::uint16_t parent, std::string_view segment,
                                                   std::uint64_t hash) const noexcept {
    const auto tag = static_cast<std::uint32_t>(hash >> 32);
    for (std::uint32_t slot = first_slot(hash, parent, edge_shift);; ++slot) {
      const route_edge& edge = edges[slot & edge_mask];
      if (edge.child == 0) return 0;
      if (edge.tag == tag && edge.parent == parent && edge.size == segment.size() &&
          equal_text(text + edge.text, segment.data(), segment.size())) {
        return edge.child;
      }
    }
  }

  [[nodiscard]] static constexpr bool can_serve(const route_node& node, method wanted) noexcept {
    return node.methods.contains(wanted);
  }

  /// A route that names the method goes before `any`. HEAD is for a route that names it, then for
  /// one that names GET, then for `any`. @pre can_serve(node, wanted)
  [[nodiscard]] constexpr std::uint16_t pick(const route_node& node, method wanted) const noexcept {
    std::uint16_t i = node.first_route;
    while (!routes[i - 1].methods.contains(wanted)) {
      i = routes[i - 1].next;
      if (i == 0) return pick(node, method::get);  // only HEAD is in a node without a route for it
    }
    if (wanted == method::head && routes[i - 1].methods == any_method) {
      return pick(node, method::get);
    }
    return static_cast<std::uint16_t>(i - 1);
  }

  [[nodiscard]] constexpr route_match find_server_wide(method wanted,
                                                       std::string_view path) const noexcept {
    return without_route(wanted, path == "*" && wanted == method::options ? methods : method_set{});
  }

  [[nodiscard]] static constexpr route_match without_route(method wanted,
                                                           method_set allowed) noexcept {
    if (allowed.empty()) return {route_outcome::not_found, 0, {}};
    allowed.insert(method::options);
    return {wanted == method::options ? route_outcome::options : route_outcome::method_not_allowed,
            0, allowed};
  }
};

}  // namespace detail
}  // namespace nen
