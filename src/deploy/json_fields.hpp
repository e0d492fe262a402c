#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "mtl/deploy/fields.hpp"
#include "mtl/io/json.hpp"

namespace mtl::deploy_detail {

/// Writes fields into a JSON object; what a part becomes is left to who derives.
class FieldWriter : public Fields {
 public:
  explicit FieldWriter(io::Json& object) : places_{&object} {}

 protected:
  virtual io::Json describe(const torch::nn::Module& module, const std::string& place) = 0;

  void visit(int64_t& value) override { here() = value; }
  void visit(double& value) override { here() = value; }
  void visit(bool& value) override { here() = value; }
  void visit(std::string& value) override { here() = value; }
  void visit(Part& part) override;
  void visit(std::shared_ptr<Model>& model) override;
  void enter(std::string_view name) override;
  void enter(size_t index) override;
  void leave() override;
  size_t list(size_t size) override;
  [[noreturn]] void fail_choice(const std::string& found,
                                std::span<const std::string_view> names) const override;

 private:
  io::Json& here() { return *places_.back(); }
  std::vector<io::Json*> places_;
  std::vector<std::string> path_;
};

/// Reads fields out of a JSON object. Error, with the place: one is missing or of another type.
class FieldReader : public Fields {
 public:
  FieldReader(const io::Json& object, std::string place)
      : places_{&object}, path_{std::move(place)} {}

 protected:
  virtual nn::Layer make(const io::Json& description, const std::string& place) = 0;
  virtual std::shared_ptr<Model> make_model(const io::Json& description,
                                            const std::string& place) = 0;

  void visit(int64_t& value) override;
  void visit(double& value) override;
  void visit(bool& value) override;
  void visit(std::string& value) override;
  void visit(Part& part) override;
  void visit(std::shared_ptr<Model>& model) override;
  void enter(std::string_view name) override;
  void enter(size_t index) override;
  void leave() override;
  size_t list(size_t size) override;
  [[noreturn]] void fail_choice(const std::string& found,
                                std::span<const std::string_view> names) const override;

 private:
  const io::Json& here() const { return *places_.back(); }
  std::string place() const;
  void require(bool fits, std::string_view expected) const;
  std::vector<const io::Json*> places_;
  std::vector<std::string> path_;
};

}  // namespace mtl::deploy_detail
