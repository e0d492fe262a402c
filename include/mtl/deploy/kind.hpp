#pragma once

#include <torch/nn/module.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

#include "mtl/deploy/fields.hpp"
#include "mtl/sharing/model.hpp"
#include "mtl/sharing/model_around.hpp"

namespace mtl {

/// What a bundle knows of a part that is no kind of the library's: what it is called, and the
/// shapes of its parameters and buffers by their names in it.
struct OwnPart {
  std::string kind, place;  // "MyHead", "heads.price"
  std::map<std::string, std::vector<int64_t>> shapes;

  /// Error: it has no tensor of that name.
  const std::vector<int64_t>& shape(const std::string& tensor) const {
    const auto found = shapes.find(tensor);
    if (found == shapes.end())
      throw Error("part \"{}\" of kind {} has no tensor \"{}\" in the bundle", place, kind, tensor);
    return found->second;
  }
};

/// A kind of part or model, its type forgotten: how it is described, made again, and written in
/// Python. `kind_of` makes it from a struct that says so once:
///
///     struct ScaledKind {
///       using Module = ScaledImpl;                      // exactly this class is described
///       static constexpr std::string_view name = "Scaled";
///       static constexpr std::string_view python = "class Scaled(nn.Module): ...";
///       double by = 1;
///       static ScaledKind of(const ScaledImpl& module) { return {module.by()}; }
///       void fields(mtl::Fields& f) { f("by", by); }    // the arguments of the Python class, too
///       double numbers() const { return 0; }            // how many weights it will have, at least
///       mtl::nn::Layer make() const { return Scaled(by); }
///     };
///
/// A model's has `make(TaskRegistry)`, which gives a std::shared_ptr<Model>, and `numbers(tasks)`.
/// `of` may give a std::optional: none where this one module cannot be described by it.
struct Kind {
  std::string name;
  bool is_around = false;    // a ModelAround, or it says so: the heads are those of models within
  std::string python;        // its class; empty: torch has it under that name
  std::string python_needs;  // what several kinds share
  /// Writes the fields of a module of this kind; false for any other.
  std::function<bool(const torch::nn::Module&, Fields&)> describe;
  /// Reads fields and makes the part, whose weights it takes off `room`, those of the file that
  /// belong to no other part yet; null for models.
  std::function<nn::Layer(Fields&, double& room)> make;
  std::function<std::shared_ptr<Model>(Fields&, const TaskRegistry&, double& room)> make_model;
};

namespace deploy_detail {

/// Error: a description asks for more weights than the file has left, so that it is damaged, and
/// would take memory at will.
inline void take_room(double numbers, double& room, std::string_view kind) {
  if (!(numbers <= room))
    throw Error(
        "{}: its sizes ask for {:.0f} weights, and the file has {:.0f} beside those of other parts",
        kind, numbers, room);
  room -= std::max(numbers, 0.0);
}

/// Error: a size of a window, which takes memory only when it is used, beyond any that is sensible.
inline void require_small(std::initializer_list<int64_t> sizes, std::string_view kind) {
  constexpr int64_t most = 4096;
  for (const int64_t size : sizes)
    if (size < 0 || size > most)
      throw Error("{}: found a size of {}, expected 0..{}", kind, size, most);
}

}  // namespace deploy_detail

template <class K>
Kind kind_of() {
  Kind kind;
  kind.name = K::name;
  if constexpr (requires { K::python; }) kind.python = K::python;
  if constexpr (requires { K::python_needs; }) kind.python_needs = K::python_needs;
  kind.describe = [](const torch::nn::Module& module, Fields& fields) {
    if (typeid(module) != typeid(typename K::Module)) return false;
    std::optional<K> described = K::of(dynamic_cast<const typename K::Module&>(module));
    if (described) described->fields(fields);
    return described.has_value();
  };
  kind.is_around = std::is_base_of_v<ModelAround, typename K::Module>;
  if constexpr (requires { K::is_around; }) kind.is_around = K::is_around;
  if constexpr (requires(const K& k) { k.make(); }) {
    kind.make = [](Fields& fields, double& room) -> nn::Layer {
      K described;
      described.fields(fields);
      if constexpr (requires { described.numbers(); })
        deploy_detail::take_room(described.numbers(), room, K::name);
      return described.make();
    };
  } else {
    kind.make_model = [](Fields& fields, const TaskRegistry& tasks,
                         double& room) -> std::shared_ptr<Model> {
      K described;
      described.fields(fields);
      if constexpr (requires { described.numbers(1.0); })
        deploy_detail::take_room(described.numbers(static_cast<double>(tasks.size())), room,
                                 K::name);
      return described.make(tasks);
    };
  }
  return kind;
}

/// Kinds of one's own, beside the library's.
///
///     mtl::Kinds kinds;
///     kinds.add("MyHead", [](const mtl::OwnPart& part) {
///       return MyHead(part.shape("linear.weight")[1]);     // in_features
///     });
///     kinds.add<ScaledKind>();                             // described by itself: see Kind
class Kinds {
 public:
  /// How to make a part that a bundle only names: its class without namespace and "Impl". `make`
  /// takes an OwnPart, or nothing.
  template <class Make>
  Kinds& add(std::string name, Make make) {
    makers_[std::move(name)] = [make = std::move(make)](const OwnPart& part) -> nn::Layer {
      if constexpr (std::is_invocable_v<const Make&, const OwnPart&>)
        return make(part);
      else
        return make();
    };
    return *this;
  }

  template <class K>
  Kinds& add() {
    described_.push_back(kind_of<K>());
    return *this;
  }

  const std::vector<Kind>& described() const { return described_; }
  /// Null where there is none.
  const std::function<nn::Layer(const OwnPart&)>* maker(const std::string& name) const {
    const auto found = makers_.find(name);
    return found == makers_.end() ? nullptr : &found->second;
  }

 private:
  std::vector<Kind> described_;
  std::map<std::string, std::function<nn::Layer(const OwnPart&)>> makers_;
};

}  // namespace mtl
