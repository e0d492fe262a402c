#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/nn/layer.hpp"
#include "mtl/sharing/model.hpp"

namespace mtl {

/// The fields of a description, written from a struct or read into it by one list:
///
///     void fields(mtl::Fields& f) {
///       f("width", width);            // int64_t, double, bool, std::string
///       f("encoder", encoder);        // a part
///       f("model", model);            // a std::shared_ptr<Model> that this one goes around
///       f("stages", stages);          // a std::vector of these, or of structs with fields()
///     }
///
/// Error, while reading: a field is missing or of another type.
class Fields {
 public:
  virtual ~Fields() = default;

  template <class T>
  void operator()(std::string_view name, T& value) {
    enter(name);
    visit(value);
    leave();
  }

  /// A value of an enum, `names` in its order.
  template <class Enum>
  void choice(std::string_view name, Enum& value, std::span<const std::string_view> names) {
    enter(name);
    std::string text(names[static_cast<size_t>(value)]);
    visit(text);
    size_t found = 0;
    while (found < names.size() && names[found] != text) ++found;
    if (found == names.size()) fail_choice(text, names);
    value = static_cast<Enum>(found);
    leave();
  }

  /// Of fields that only training needs, which an export leaves out.
  template <class Visit>
  void training(const Visit& fields) {
    enter("training");
    fields();
    leave();
  }

  /// A part by its module alone: what is described need not be a layer by its type.
  struct Part {
    std::shared_ptr<torch::nn::Module> module = nullptr;  // what is written
    nn::Layer layer = {};                                 // what was read
  };

 protected:
  virtual void visit(int64_t& value) = 0;
  virtual void visit(double& value) = 0;
  virtual void visit(bool& value) = 0;
  virtual void visit(std::string& value) = 0;
  virtual void visit(Part& part) = 0;
  virtual void visit(std::shared_ptr<Model>& model) = 0;
  virtual void enter(std::string_view name) = 0;
  virtual void enter(size_t index) = 0;
  virtual void leave() = 0;
  /// The length of the list here: `size` while writing, what was found while reading.
  virtual size_t list(size_t size) = 0;
  [[noreturn]] virtual void fail_choice(const std::string& found,
                                        std::span<const std::string_view> names) const = 0;

 private:
  void visit(nn::Layer& layer) {
    Part part{layer.module(), {}};
    visit(part);
    if (part.layer) layer = part.layer;
  }

  template <class T>
  void visit(std::vector<T>& items) {
    items.resize(list(items.size()));
    for (size_t i = 0; i < items.size(); ++i) {
      enter(i);
      visit(items[i]);
      leave();
    }
  }

  template <class T>
  requires requires(T& value, Fields& fields) { value.fields(fields); }
  void visit(T& value) { value.fields(*this); }
};

}  // namespace mtl
