package yolov2tf.demo;

import android.app.AlertDialog;
import android.content.Context;
import android.os.Bundle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Which classes are shown: all, or those that were chosen, by name: models change. */
final class ClassFilter {
    private static final String ONLY = "classes.only";

    private final Set<String> only = new TreeSet<>(); // empty for all

    void save(Bundle state) {
        state.putStringArrayList(ONLY, new ArrayList<>(only));
    }

    void restore(Bundle state) {
        ArrayList<String> names = state.getStringArrayList(ONLY);
        only.addAll(names == null ? new ArrayList<>() : names);
    }

    /**
     * Which of a model's labels are shown.
     *
     * @return for each label whether it is; null for all, as where the model knows none of them
     */
    boolean[] wanted(List<String> names) {
        boolean[] wanted = new boolean[names.size()];
        boolean some = false;
        for (int label = 0; label < wanted.length; label++) {
            wanted[label] = only.contains(names.get(label));
            some |= wanted[label];
        }
        return some ? wanted : null;
    }

    /** Asks for them; all where none is chosen. */
    void ask(Context context, List<String> names, Runnable changed) {
        boolean[] now = wanted(names);
        boolean[] checked = now == null ? new boolean[names.size()]
                : Arrays.copyOf(now, now.length);
        new AlertDialog.Builder(context)
                .setTitle(R.string.classes)
                .setMultiChoiceItems(names.toArray(new String[0]), checked,
                        (dialog, label, value) -> checked[label] = value)
                .setPositiveButton(android.R.string.ok, (dialog, which) -> {
                    only.clear();
                    for (int label = 0; label < checked.length; label++) {
                        if (checked[label]) {
                            only.add(names.get(label));
                        }
                    }
                    changed.run();
                })
                .setNeutralButton(R.string.all_classes, (dialog, which) -> {
                    only.clear();
                    changed.run();
                })
                .show();
    }
}
