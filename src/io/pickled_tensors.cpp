#include "pickled_tensors.hpp"

#include <algorithm>
#include <bit>
#include <deque>
#include <unordered_map>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/io/excerpt.hpp"

// Opcodes: Lib/pickletools.py of Python, which describes each.

namespace mtl::io {
namespace {

constexpr size_t most_values = 1'000'000;  // of 80 bytes each; an optimizer's state has thousands
constexpr size_t deepest = 100, longest = 1000;  // of dictionaries in each other; of a name
constexpr size_t most_dimensions = 64;

using Place = uint32_t;  // of a value among all

struct Value {
  enum class Kind { other, integer, text, tuple, list, dictionary, global, storage, tensor };
  Kind kind = Kind::other;
  int64_t integer = 0;
  std::string_view text = {};     // of a global, "module\nname"
  std::vector<Place> items = {};  // of a dictionary, keys and values in turn
  Tensor tensor = {};             // of a storage, its numbers
};
using Kind = Value::Kind;

constexpr std::pair<std::string_view, at::ScalarType> storages[] = {
    {"torch\nDoubleStorage", at::kDouble}, {"torch\nFloatStorage", at::kFloat},
    {"torch\nHalfStorage", at::kHalf},     {"torch\nBFloat16Storage", at::kBFloat16},
    {"torch\nLongStorage", at::kLong},     {"torch\nIntStorage", at::kInt},
    {"torch\nShortStorage", at::kShort},   {"torch\nCharStorage", at::kChar},
    {"torch\nByteStorage", at::kByte},     {"torch\nBoolStorage", at::kBool}};

std::string dotted(std::string_view global) {
  std::string name = excerpt(global);
  std::replace(name.begin(), name.end(), '\n', '.');
  return name;
}

/// A machine of a stack, whose values live until its end: they may hold each other in a circle.
class Unpickler {
 public:
  Unpickler(std::string_view pickle, const std::string& file, const StorageReader& storage)
      : pickle_(pickle), file_(file), read_storage_(storage) {}

  NamedTensors run() {
    if (byte() != 0x80 || byte() != 2) fail("it does not begin as a pickle of protocol 2");
    while (step(static_cast<unsigned char>(byte()))) {
    }
    const Value& all = values_[pop()];
    if (all.kind == Kind::tensor) fail("it holds one tensor without a name, expected a dictionary");
    NamedTensors found;
    collect(all, "", 0, found);
    if (found.is_empty()) fail("there is no tensor in it");
    return found;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error("{}: its pickle, at byte {}: {}", file_, at_, what);
  }
  [[noreturn]] void refuse(std::string_view global) const {
    throw Error(
        "{}: holds a {}, which is made by running Python. Save tensors by name alone: "
        "torch.save(model.state_dict(), ...)",
        file_, dotted(global));
  }

  // What it is made of.

  std::string_view bytes(size_t count) {
    if (count > pickle_.size() - at_) fail("it ends too early");
    at_ += count;
    return pickle_.substr(at_ - count, count);
  }
  int byte() { return static_cast<unsigned char>(bytes(1)[0]); }
  uint64_t number(size_t count) {
    uint64_t value = 0;
    const std::string_view from = bytes(count);
    for (size_t i = 0; i < count; ++i)
      value |= uint64_t{static_cast<unsigned char>(from[i])} << (8 * i);
    return value;
  }
  std::string_view global() {
    const size_t module_end = pickle_.find('\n', at_);
    const size_t end =
        module_end == std::string_view::npos ? module_end : pickle_.find('\n', module_end + 1);
    if (end == std::string_view::npos) fail("it ends too early");
    const std::string_view name = bytes(end + 1 - at_);
    return name.substr(0, name.size() - 1);
  }

  // Its stack.

  void push(Value value) {
    if (values_.size() == most_values) fail("it builds more than a million values");
    stack_.push_back(static_cast<Place>(values_.size()));
    values_.push_back(std::move(value));
  }
  void push_integer(int64_t value) { push({.kind = Kind::integer, .integer = value}); }
  size_t bottom() const { return marks_.empty() ? 0 : marks_.back(); }
  Place top() {
    if (stack_.size() <= bottom()) fail("its stack is empty");
    return stack_.back();
  }
  Place pop() {
    const Place place = top();
    stack_.pop_back();
    return place;
  }
  Value& popped(Kind kind, const char* expected) {
    Value& value = values_[pop()];
    if (value.kind != kind) fail(std::string("expected ") + expected);
    return value;
  }
  Value& top_of(Kind kind, const char* expected) {
    Value& value = values_[top()];
    if (value.kind != kind) fail(std::string("expected ") + expected);
    return value;
  }
  std::vector<Place> since_mark() {
    if (marks_.empty()) fail("there is no mark");
    const std::vector<Place> items(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()),
                                   stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }
  void push_tuple(size_t count) {
    Value tuple{.kind = Kind::tuple};
    for (size_t i = 0; i < count; ++i) tuple.items.push_back(pop());
    std::reverse(tuple.items.begin(), tuple.items.end());
    push(std::move(tuple));
  }
  void add(Kind kind, const char* expected, const std::vector<Place>& items) {
    if (kind == Kind::dictionary && items.size() % 2 != 0) fail("a key has no value");
    auto& all = top_of(kind, expected).items;
    all.insert(all.end(), items.begin(), items.end());
  }
  void keep(uint64_t as) { memory_[as] = top(); }
  void recall(uint64_t as) {
    const auto found = memory_.find(as);
    if (found == memory_.end()) fail("it asks for a value that it has not kept");
    if (++recalled_ > most_values) fail("it asks for kept values more than a million times");
    stack_.push_back(found->second);
  }

  /// False at the end.
  bool step(unsigned char code) {
    switch (code) {
      case '.':
        return false;
      case '(':
        marks_.push_back(stack_.size());
        break;
      case 'N':
      case 0x88:
      case 0x89:
        push({});
        break;  // None, True, False
      case 'K':
        push_integer(byte());
        break;
      case 'M':
        push_integer(static_cast<int64_t>(number(2)));
        break;
      case 'J':
        push_integer(static_cast<int32_t>(number(4)));
        break;
      case 0x8A:
        long_integer();
        break;
      case 'G':
        bytes(8);
        push({});
        break;  // a real number
      case 'X': {
        const uint64_t size = number(4);
        push({.kind = Kind::text, .text = bytes(size)});
        break;
      }
      case ')':
        push({.kind = Kind::tuple});
        break;
      case 0x85:
      case 0x86:
      case 0x87:
        push_tuple(size_t{code} - 0x84);
        break;
      case 't':
        push({.kind = Kind::tuple, .items = since_mark()});
        break;
      case ']':
        push({.kind = Kind::list});
        break;
      case 'a':
        add(Kind::list, "a list", {pop()});
        break;
      case 'e':
        add(Kind::list, "a list", since_mark());
        break;
      case '}':
        push({.kind = Kind::dictionary});
        break;
      case 's': {
        const Place value = pop();
        add(Kind::dictionary, "a dictionary", {pop(), value});
        break;
      }
      case 'u':
        add(Kind::dictionary, "a dictionary", since_mark());
        break;
      case 'q':
        keep(number(1));
        break;
      case 'r':
        keep(number(4));
        break;
      case 'h':
        recall(number(1));
        break;
      case 'j':
        recall(number(4));
        break;
      case 'c':
        push({.kind = Kind::global, .text = global()});
        break;
      case 'Q':
        push_storage();
        break;
      case 'R':
        call();
        break;
      case 'b':
        pop();
        check_attributes();
        break;
      case 0x81:
        pop();
        refuse(popped(Kind::global, "a class").text);
      default:
        fail("opcode " + std::to_string(code) + ", which torch.save's dictionaries do not need");
    }
    return true;
  }

  void long_integer() {
    const auto size = static_cast<size_t>(byte());
    if (size > 8) {  // a seed, say: a number that nobody asks for
      bytes(size);
      return push({});
    }
    const uint64_t value = number(size);
    const auto unused = static_cast<int>(64 - 8 * size);
    push_integer(size == 0 ? 0 : static_cast<int64_t>(value << unused) >> unused);
  }

  // What it asks for.

  /// Attributes of a dictionary (a state_dict has "_metadata") are left out.
  void check_attributes() {
    const Value& of = values_[top()];
    if (of.kind != Kind::dictionary)
      fail("it gives attributes to something else than a dictionary");
  }

  void call() {
    const Value arguments = popped(Kind::tuple, "a tuple of arguments");
    const std::string_view name = popped(Kind::global, "what is to be called").text;
    const auto first = [&]() -> Place {
      if (arguments.items.empty()) fail(dotted(name) + " has no arguments");
      return arguments.items[0];
    };
    if (name == "collections\nOrderedDict" && arguments.items.empty())
      push({.kind = Kind::dictionary});
    else if (name == "torch._utils\n_rebuild_tensor_v2")
      push({.kind = Kind::tensor, .tensor = view(arguments)});
    else if (name == "torch._utils\n_rebuild_parameter" || name == "torch\nSize")
      stack_.push_back(first());
    else if (name == "torch\ndevice")
      push({});
    else
      refuse(name);
  }

  /// ("storage", its type, its name, where it was, how many numbers)
  void push_storage() {
    const Value& id = popped(Kind::tuple, "what names a storage");
    const auto item = [&](size_t i, Kind kind) -> const Value& {
      if (id.items.size() != 5 || values_[id.items[i]].kind != kind)
        fail("expected a storage's type, name, device and size");
      return values_[id.items[i]];
    };
    if (item(0, Kind::text).text != "storage") fail("expected a storage");
    const std::string_view type = item(1, Kind::global).text;
    const std::string name(item(2, Kind::text).text);
    const int64_t numbers = item(4, Kind::integer).integer;
    const auto known = std::find_if(std::begin(storages), std::end(storages),
                                    [&](const auto& pair) { return pair.first == type; });
    if (known == std::end(storages))
      throw Error("{}: holds a {}, expected real, integer or bool numbers", file_, dotted(type));
    if (numbers < 0) fail("a storage has " + std::to_string(numbers) + " numbers");
    Tensor& storage = storages_[name];
    if (!storage.defined()) storage = read_storage_(name, known->second, numbers);
    if (storage.scalar_type() != known->second || storage.numel() != numbers)
      fail("storage \"" + excerpt(name) + "\" is used with two types or sizes");
    push({.kind = Kind::storage, .tensor = storage});
  }

  std::vector<int64_t> integers(const Value& tuple) const {
    std::vector<int64_t> all;
    if (tuple.kind != Kind::tuple || tuple.items.size() > most_dimensions)
      fail("expected a tensor's sizes and strides");
    for (const Place place : tuple.items) {
      if (values_[place].kind != Kind::integer || values_[place].integer < 0)
        fail("expected sizes and strides of at least 0");
      all.push_back(values_[place].integer);
    }
    return all;
  }

  /// (storage, first number, sizes, strides, ...)
  Tensor view(const Value& arguments) const {
    if (arguments.items.size() < 4) fail("a tensor without a storage, offset, sizes and strides");
    const Value& storage = values_[arguments.items[0]];
    const Value& offset = values_[arguments.items[1]];
    if (storage.kind != Kind::storage || offset.kind != Kind::integer || offset.integer < 0)
      fail("expected a tensor's storage and offset");
    const auto sizes = integers(values_[arguments.items[2]]);
    const auto strides = integers(values_[arguments.items[3]]);
    if (sizes.size() != strides.size()) fail("a tensor has other strides than sizes");
    int64_t count = 1, last = offset.integer;
    bool overflow = false;
    for (size_t d = 0; d < sizes.size(); ++d) {
      int64_t way = 0;
      overflow |= __builtin_mul_overflow(std::max<int64_t>(sizes[d], 1) - 1, strides[d], &way);
      overflow |= __builtin_add_overflow(last, way, &last);
      overflow |= __builtin_mul_overflow(count, std::max<int64_t>(sizes[d], 1), &count);
    }
    const bool empty = std::find(sizes.begin(), sizes.end(), 0) != sizes.end();
    if (!overflow && empty) return torch::empty(sizes, storage.tensor.options());
    if (overflow || last >= storage.tensor.numel())
      fail("a tensor reaches beyond its storage of " + std::to_string(storage.tensor.numel()) +
           " numbers");
    if (count > storage.tensor.numel())
      fail("a tensor is expanded, larger than its storage; save its contiguous()");
    return storage.tensor.as_strided(sizes, strides, offset.integer);
  }

  void collect(const Value& value, const std::string& name, size_t depth, NamedTensors& found) {
    // A dictionary may hold another in a hundred places, and that one a third.
    if (++visited_ > most_values) fail("it holds more than a million values");
    if (depth > deepest) fail("dictionaries and lists are nested too deep");
    if (name.size() > longest) fail("a name has more than 1000 bytes");
    const auto below = [&](const std::string& key, Place place) {
      collect(values_[place], name.empty() ? key : name + "." + key, depth + 1, found);
    };
    if (value.kind == Kind::tensor) {
      if (found.contains(name)) fail("there are two tensors \"" + excerpt(name) + "\"");
      found.insert(name, value.tensor);
    } else if (value.kind == Kind::dictionary) {
      for (size_t i = 0; i < value.items.size(); i += 2) {
        const Value& key = values_[value.items[i]];
        if (key.kind != Kind::text && key.kind != Kind::integer)
          fail("a key is neither a text nor an integer");
        below(key.kind == Kind::text ? std::string(key.text) : std::to_string(key.integer),
              value.items[i + 1]);
      }
    } else if (value.kind == Kind::list || value.kind == Kind::tuple) {
      for (size_t i = 0; i < value.items.size(); ++i) below(std::to_string(i), value.items[i]);
    }
  }

  std::string_view pickle_;
  const std::string& file_;
  const StorageReader& read_storage_;
  size_t at_ = 0, visited_ = 0, recalled_ = 0;
  std::deque<Value> values_;
  std::vector<Place> stack_;
  std::vector<size_t> marks_;  // heights of the stack
  std::unordered_map<uint64_t, Place> memory_;
  std::unordered_map<std::string, Tensor> storages_;
};

}  // namespace

NamedTensors pickled_tensors(std::string_view pickle, const std::string& file,
                             const StorageReader& storage) {
  return Unpickler(pickle, file, storage).run();
}

}  // namespace mtl::io
