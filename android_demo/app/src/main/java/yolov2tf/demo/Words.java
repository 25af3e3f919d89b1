package yolov2tf.demo;

import android.content.res.Resources;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import yolov2tf.core.Detections;

/** Detections in words, for those who hear them. */
final class Words {
    private Words() {}

    /** Each one with its score: of a picture. */
    static String each(Resources resources, Detections found, int count, List<String> names) {
        StringBuilder words = new StringBuilder();
        for (int i = 0; i < count; i++) {
            words.append(i == 0 ? "" : ", ").append(name(found.label(i), names)).append(' ')
                    .append(Math.round(100 * found.score(i))).append(" %");
        }
        return count == 0 ? resources.getString(R.string.nothing_found) : words.toString();
    }

    /** How many of each class: of a camera, whose scores change with every frame. */
    static String counts(Resources resources, Detections found, int count, List<String> names) {
        Map<String, Integer> counts = new TreeMap<>();
        for (int i = 0; i < count; i++) {
            String name = name(found.label(i), names);
            Integer before = counts.get(name);
            counts.put(name, before == null ? 1 : before + 1);
        }
        StringBuilder words = new StringBuilder();
        for (Map.Entry<String, Integer> entry : counts.entrySet()) {
            words.append(words.length() == 0 ? "" : ", ")
                    .append(entry.getValue()).append(" × ").append(entry.getKey());
        }
        return count == 0 ? resources.getString(R.string.nothing_found) : words.toString();
    }

    private static String name(int label, List<String> names) {
        return label < 0 || label >= names.size() ? "?" : names.get(label);
    }
}
