package yolov2tf.demo;

import android.app.Activity;
import android.content.Intent;
import android.net.Uri;

/** Lets people pick something that another app has. */
final class Picker {
    private Picker() {}

    /**
     * Asks.
     *
     * @param type of files, such as {@code image/*}
     * @param request code of the question to {@link Activity#onActivityResult}
     */
    static void ask(Activity activity, String type, int request) {
        Intent intent = new Intent(Intent.ACTION_GET_CONTENT)
                .setType(type)
                .addCategory(Intent.CATEGORY_OPENABLE);
        activity.startActivityForResult(Intent.createChooser(intent, null), request);
    }

    /** What was picked, or created; null for nothing. */
    static Uri answer(int result, Intent data) {
        return result == Activity.RESULT_OK && data != null ? data.getData() : null;
    }
}
