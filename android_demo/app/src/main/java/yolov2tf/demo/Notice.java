package yolov2tf.demo;

import android.view.View;
import android.widget.Button;
import android.widget.ProgressBar;
import android.widget.TextView;

/** A message over the stage, with at most one button, and a bar while something goes on. */
final class Notice {
    private final View root;
    private final TextView text;
    private final ProgressBar bar;
    private final Button button;

    Notice(View root) {
        this.root = root;
        text = root.findViewById(R.id.notice_text);
        bar = root.findViewById(R.id.notice_bar);
        button = root.findViewById(R.id.notice_button);
    }

    void hush() {
        root.setVisibility(View.GONE);
    }

    void say(String message) {
        show(message, false);
        button.setVisibility(View.GONE);
    }

    /** Says something that can be done something about. */
    void say(String message, int title, Runnable action) {
        show(message, false);
        offer(title, action);
    }

    /**
     * Says what goes on.
     *
     * @param percent 0..100; -1 where nobody knows
     */
    void progress(String message, int percent, int title, Runnable action) {
        show(message, true);
        bar.setIndeterminate(percent < 0);
        bar.setProgress(Math.max(percent, 0));
        offer(title, action);
    }

    private void show(String message, boolean goesOn) {
        if (!message.contentEquals(text.getText())) { // TalkBack reads it each time it is set
            text.setText(message);
        }
        bar.setVisibility(goesOn ? View.VISIBLE : View.GONE);
        root.setVisibility(View.VISIBLE);
    }

    private void offer(int title, Runnable action) {
        button.setText(title);
        button.setOnClickListener(view -> action.run());
        button.setVisibility(View.VISIBLE);
    }
}
