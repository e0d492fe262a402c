#pragma once

#include <algorithm>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "mtl/mtl.hpp"

namespace text {

using Texts = std::vector<std::string>;

inline const Texts topics = {"hotel", "restaurant", "train", "cinema", "shop"};
inline const Texts sentiments = {"negative", "mixed", "positive"};
inline const Texts tags = {"O", "B-good", "I-good", "B-bad", "I-bad"};

/// What reviews are about: each of the first ten belongs to two topics, in the order of all pairs,
/// so that two of them tell the topic and one does not; the last three belong to all.
inline const Texts aspects = {
    "breakfast/breakfast buffet", "wifi/wireless network", "air/air conditioning",
    "car park/parking",           "coffee/cup of coffee",  "drinks/cold drinks",
    "bread/fresh bread",          "seats/row of seats",    "points card/card",
    "queue/check out line",       "staff/whole staff",     "service",
    "prices/list of prices"};
inline const std::string good = "good/great/lovely/fine/pleasant";
inline const std::string bad = "bad/poor/awful/dull/unpleasant";

/// A review, and what there is to know of it.
struct Review {
  Texts words;
  std::vector<int64_t> tags;  ///< of each word: outside, or in an aspect that is praised or blamed
  int64_t topic = 0, sentiment = 0;
};

/// Writes reviews of two or three judgements, some turned by "not" or "hardly"; half of them name
/// one more aspect and do not judge it.
class Writer {
 public:
  explicit Writer(uint64_t seed) : random_(seed) {}

  Review write() {
    Review review;
    review.topic = draw(topics.size());
    std::vector<size_t> own;
    for (int64_t a = 0, pair = 0; a < 5; ++a)
      for (int64_t b = a + 1; b < 5; ++b, ++pair)
        if (a == review.topic || b == review.topic) own.push_back(static_cast<size_t>(pair));
    std::shuffle(own.begin(), own.end(), random_);
    // Two that tell the topic, and perhaps one that belongs to all.
    std::vector<size_t> named = {own[0], own[1], 10 + static_cast<size_t>(draw(3))};
    named.resize(2 + static_cast<size_t>(draw(2)));
    std::shuffle(named.begin(), named.end(), random_);
    int64_t balance = 0;  // praise less blame
    for (size_t i = 0; i < named.size(); ++i) {
      if (i > 0) say(review, one_of("and/./but/while"));
      balance += judge(review, named[i]);
    }
    if (draw(2) == 0) {
      say(review, one_of(". we asked about the/. there is also the/. nobody mentioned the"));
      say(review, one_of(aspects[own[2]]));
    }
    review.sentiment = balance < 0 ? 0 : balance == 0 ? 1 : 2;
    return review;
  }

 private:
  int64_t draw(size_t below) { return static_cast<int64_t>(random_() % below); }
  /// One of the texts between strokes.
  std::string one_of(const std::string& texts) {
    int64_t chosen = draw(1 + static_cast<size_t>(std::count(texts.begin(), texts.end(), '/')));
    size_t begin = 0;
    for (; chosen > 0; --chosen) begin = texts.find('/', begin) + 1;
    return texts.substr(begin, texts.find('/', begin) - begin);
  }
  static void say(Review& review, const std::string& words, int64_t first = 0, int64_t next = 0) {
    std::istringstream stream(words);
    for (std::string word; stream >> word; first = next) {
      review.words.push_back(word);
      review.tags.push_back(first);
    }
  }
  int64_t judge(Review& review, size_t aspect) {
    const bool praise = draw(2) == 0, turned = draw(4) == 0;
    std::string opinion = turned ? one_of("not /hardly ") : "";
    opinion += one_of("//very /really ");
    opinion += one_of(praise != turned ? good : bad);
    const int64_t found = draw(2), tag = praise ? 1 : 3;
    say(review, found == 1 ? "we found the" : one_of("the/their"));
    say(review, one_of(aspects[aspect]), tag, tag + 1);
    if (found == 0) say(review, one_of("was/is"));
    say(review, opinion);
    return praise ? 1 : -1;
  }
  std::mt19937_64 random_;
};

/// All words that the grammar knows.
inline const mtl::LabelEncoder& vocabulary() {
  static const auto words = [] {
    Texts found;
    for (Writer writer(0); found.size() < 60000;) {
      const Review review = writer.write();
      found.insert(found.end(), review.words.begin(), review.words.end());
    }
    return mtl::LabelEncoder::learn(found, mtl::LabelOrder::sorted);
  }();
  return words;
}

/// "tokens" [L], from 1 on; "sentiment", which the stars beside a review say; "topic" and "aspects"
/// [L], the tags, which are known of reviews that somebody has read.
inline mtl::Sample sample_of(const Review& review, bool read) {
  const mtl::Tensor spans = torch::tensor(review.tags);
  return {{{"tokens", 1 + vocabulary().encode(review.words)}},
          {{"sentiment", torch::tensor(review.sentiment)},
           {"topic", torch::tensor(read ? review.topic : mtl::missing_class)},
           {"aspects", read ? spans : torch::full_like(spans, mtl::missing_class)}}};
}

}  // namespace text
